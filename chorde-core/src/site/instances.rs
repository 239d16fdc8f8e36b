//! The instances of one function: one for each set of generic arguments that it is used with. As many as the program has, and
//! no more: they stay up to its end.

use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use smallvec::SmallVec;

use super::instance::{Instance, Tag};
use super::live::Live;
use crate::digest::DigestHasher;
use crate::stats::{Counters, Stats};
use crate::sync::{Mutex, OnceLock, Table, lock};

/// The instances of one function: a list in the order of their first use, and where to find each of them.
#[derive(Default)]
pub(crate) struct Instances {
    /// The first of the list, and mostly the only one.
    first: OnceLock<Box<Instance>>,
    /// Made for the second.
    others: OnceLock<Box<Others>>,
    /// The bins of the histograms of all instances, of those to come too, if they were chosen.
    bins: Mutex<Option<(usize, Duration)>>,
}

/// Finds instances in constant time.
struct Others {
    /// By some bits of their types, those that were first there: found without a lock.
    places: [OnceLock<&'static Instance>; PLACES],
    /// All of them.
    all: Table<Box<[TypeId]>, &'static Instance>,
}

/// How many instances are found without a lock.
const PLACES: usize = 64;

/// Over how many locks the others are spread.
const LOCKS: usize = 4;

impl Others {
    fn new() -> Self {
        Self { places: std::array::from_fn(|_| OnceLock::new()), all: Table::spread(LOCKS) }
    }

    /// Returns the place where an instance may be.
    fn place(&self, tag: &[Tag]) -> &OnceLock<&'static Instance> {
        // The ids of types are hashes already.
        let mut hasher = DigestHasher::default();
        tag.iter().for_each(|tag| tag.id.hash(&mut hasher));
        &self.places[(hasher.finish() % PLACES as u64) as usize]
    }

    fn find(&self, tag: &[Tag]) -> Option<&'static Instance> {
        match self.place(tag).get() {
            Some(instance) if instance.has(tag) => Some(instance),
            Some(_) => self.all.get(&*ids_of(tag)),
            None => None,
        }
    }

    fn add(&self, instance: &'static Instance) {
        self.all.change(ids_of(&instance.tag).as_slice().into(), || instance, |_| ());
        // Afterwards: whoever finds the place taken by another looks among all.
        let _ = self.place(&instance.tag).set(instance);
    }
}

fn ids_of(tag: &[Tag]) -> SmallVec<[TypeId; 4]> {
    tag.iter().map(|tag| tag.id).collect()
}

impl Instances {
    /// Finds the instance, or adds it.
    #[inline]
    pub(super) fn get(&'static self, tag: &[Tag], live: &'static Live) -> &'static Instance {
        match self.first.get() {
            Some(first) if first.has(tag) => first,
            _ => self.find(tag, live),
        }
    }

    #[inline(never)]
    fn find(&'static self, tag: &[Tag], live: &'static Live) -> &'static Instance {
        self.others.get().and_then(|others| others.find(tag)).unwrap_or_else(|| self.find_or_add(tag, live))
    }

    #[cold]
    fn find_or_add(&'static self, tag: &[Tag], live: &'static Live) -> &'static Instance {
        // Held until the instance is in the list, so that other bins cannot miss it.
        let bins = lock(&self.bins);
        let mut place = &self.first;
        loop {
            let instance = place.get_or_init(|| Box::new(Instance::new(tag, live, *bins)));
            if instance.has(tag) {
                if !std::ptr::eq(place, &self.first) {
                    self.others.get_or_init(|| Box::new(Others::new())).add(instance);
                }
                return instance;
            }
            place = &instance.next;
        }
    }

    /// Visits the instances, in the order of their first use.
    pub(super) fn all(&self) -> impl Iterator<Item = &Instance> {
        std::iter::successors(self.first.get(), |instance| instance.next.get()).map(|instance| &**instance)
    }

    /// Returns what all of them have counted.
    pub(super) fn stats(&self) -> Stats {
        let counters = Counters::default();
        if let Some((bins, up_to)) = *lock(&self.bins) {
            counters.set_timing_bins(bins, up_to);
        }
        let mut sum = counters.snapshot();
        self.all().for_each(|instance| sum.add(&instance.counters.snapshot()));
        sum
    }

    pub(super) fn reset_stats(&self) {
        self.all().for_each(|instance| instance.counters.reset());
    }

    pub(super) fn set_timing_bins(&self, bins: usize, up_to: Duration) {
        let mut chosen = lock(&self.bins);
        *chosen = Some((bins, up_to));
        self.all().for_each(|instance| instance.counters.set_timing_bins(bins, up_to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Description, Naming, Site};

    struct Type<const NUMBER: usize>;

    /// The tags of 200 types.
    fn tags() -> Vec<Tag> {
        macro_rules! ten {
            ($tags:ident $($tens:literal)*) => {$(
                $tags.extend([
                    Tag::of::<Type<{ $tens * 10 }>>(), Tag::of::<Type<{ $tens * 10 + 1 }>>(),
                    Tag::of::<Type<{ $tens * 10 + 2 }>>(), Tag::of::<Type<{ $tens * 10 + 3 }>>(),
                    Tag::of::<Type<{ $tens * 10 + 4 }>>(), Tag::of::<Type<{ $tens * 10 + 5 }>>(),
                    Tag::of::<Type<{ $tens * 10 + 6 }>>(), Tag::of::<Type<{ $tens * 10 + 7 }>>(),
                    Tag::of::<Type<{ $tens * 10 + 8 }>>(), Tag::of::<Type<{ $tens * 10 + 9 }>>(),
                ]);
            )*};
        }
        let mut tags = Vec::new();
        ten!(tags 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
        tags
    }

    #[test]
    fn each_set_of_types_has_one_instance_however_many_there_are_and_whoever_comes_first() {
        static SITE: Site =
            Site::new(Description::new("f", "m", || "m::f", "", 0).naming(Naming::Named("instances in a test")));
        let tags = tags();
        let found = || -> Vec<usize> {
            let address = |tag: &Tag| std::ptr::from_ref(SITE.instance(std::slice::from_ref(tag))).addr();
            tags.iter().map(address).collect()
        };
        let all: Vec<Vec<usize>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(found)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|found| *found == all[0]));
        let mut different = all[0].clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), tags.len());
        let pair = [tags[0], tags[1]];
        assert!(!different.contains(&std::ptr::from_ref(SITE.instance(&pair)).addr()));
    }
}
