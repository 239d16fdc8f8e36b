use serde::Serialize;

use super::*;
use crate::events::Walker;

fn digest<T: Serialize + ?Sized>(value: &T) -> Digest {
    let mut digester = Digester::from(Digester::sums_of([]));
    value.serialize(Walker(&mut digester)).unwrap();
    digester.finish()
}

/// Every element differs from every other one.
fn all_differ(digests: &[Digest]) {
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "{at}");
    }
}

/// Values of one kind, of each count up to more than there are coefficients for.
#[test]
fn nothing_is_lost_where_coefficients_end() {
    let mut digests = Vec::new();
    for count in 1..4 * WORDS {
        digests.push(digest(&vec![0_u64; count]));
        digests.push(digest(&vec![(); count]));
        digests.push(digest(&vec![Some(0_u64); count]));
        digests.push(digest(&vec![[(); 3]; count]));
        let mut last = vec![0_u64; count + 1];
        last[count] = 1;
        digests.push(digest(&last));
    }
    all_differ(&digests);
}

#[test]
fn structs_within_structs_keep_their_places() {
    #[derive(Serialize)]
    struct Node(Vec<Node>);
    let leaf = || Node(vec![]);
    let chain = |length: usize| (0..length).fold(leaf(), |inner, _| Node(vec![inner]));
    let wide = |count: usize| Node((0..count).map(|_| leaf()).collect());
    let mut digests: Vec<_> = (1..40).map(|length| digest(&chain(length))).collect();
    digests.extend((2..40).map(|count| digest(&wide(count))));
    digests.extend((1..40).map(|at| digest(&Node((0..40).map(|i| if i == at { chain(1) } else { leaf() }).collect()))));
    all_differ(&digests);
}

#[test]
fn texts_of_all_lengths_differ() {
    let text = "x".repeat(3 * EXACT);
    let mut digests: Vec<_> = (0..text.len()).map(|length| digest(&text[..length])).collect();
    digests.extend((0..text.len()).map(|length| digest(&text.as_bytes()[..length])));
    digests.extend((1..text.len()).map(|length| digest(&(text[..length].to_owned() + "y"))));
    all_differ(&digests);
}

#[test]
fn namespaces_are_lists() {
    let [a, b] = ["a", "b"].map(Digest::of_text);
    let lists: [&[Digest]; 7] = [&[], &[a], &[b], &[a, b], &[b, a], &[a, a], &[a, a, a]];
    let digests: Vec<_> =
        lists.iter().map(|list| Digester::from(Digester::sums_of(list.iter().copied())).finish()).collect();
    all_differ(&digests);
    all_differ(&[a.within(b), b.within(a), a.revised(1), a.revised(2), a, b]);
}

#[test]
fn entries_do_not_exchange_their_values() {
    use std::collections::BTreeMap;
    let map = |entries: &[(u64, u64)]| digest(&entries.iter().copied().collect::<BTreeMap<_, _>>());
    all_differ(&[
        map(&[]),
        map(&[(0, 0)]),
        map(&[(1, 2), (2, 1)]),
        map(&[(1, 1), (2, 2)]),
        map(&[(1, 2), (2, 2)]),
        map(&[(1, 3), (2, 0)]),
    ]);
}

/// Serialises its elements one by one, as a type of one's own may.
struct OneByOne<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for OneByOne<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(None)?;
        self.0.iter().try_for_each(|element| list.serialize_element(element))?;
        list.end()
    }
}

/// Serialises its elements as those of an array.
struct Array<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Array<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        let mut list = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|element| list.serialize_element(element))?;
        list.end()
    }
}

/// Lengths around those where something changes.
fn lengths(width: usize) -> impl Iterator<Item = usize> {
    let edges = [0, 16, 17, EXACT / width, long::BLOCK_BYTES / width, 3 * long::BLOCK_BYTES / width];
    edges.into_iter().flat_map(move |edge| edge.saturating_sub(16 / width + 1)..=edge + 16 / width + 1)
}

fn runs_agree<T: Serialize + Copy>(number: impl Fn(usize) -> T) {
    for length in lengths(size_of::<T>()) {
        let numbers: Vec<T> = (0..length).map(&number).collect();
        let (references, boxed): (Vec<&T>, Vec<Box<T>>) =
            (numbers.iter().collect(), numbers.iter().map(|number| Box::new(*number)).collect());
        let expected = digest(&numbers);
        assert_eq!(digest(&*numbers), expected, "{length}");
        assert_eq!(digest(&references), expected, "{length}");
        assert_eq!(digest(&boxed), expected, "{length}");
        assert_eq!(digest(&OneByOne(&numbers)), expected, "{length}");
        assert_ne!(digest(&Array(&numbers)), expected, "{length}");
    }
}

#[test]
fn a_run_of_numbers_is_the_same_all_at_once_and_one_by_one() {
    runs_agree(|at| at as u8);
    runs_agree(|at| (at as u16).wrapping_add(0xff00));
    runs_agree(|at| (at as u32).wrapping_add(0xffff_ff00));
    runs_agree(|at| u64::MAX - at as u64);
    runs_agree(|at| at as i8);
    runs_agree(|at| (at as i16).wrapping_neg());
    runs_agree(|at| -(at as i32));
    runs_agree(|at| -(at as i64));
    runs_agree(|at| at % 3 == 0);
    runs_agree(|at| char::from(at as u8));
    runs_agree(|at| at as f32);
    runs_agree(|at| -(at as f64));
    runs_agree(|at| at);
    runs_agree(|at| -(at as isize));
}

#[test]
fn runs_of_other_kinds_lengths_and_numbers_differ() {
    fn of<T: Serialize + Copy + Default>(one: T) -> Vec<Digest> {
        let mut digests = Vec::new();
        for length in lengths(size_of::<T>()).filter(|length| *length > 0).collect::<std::collections::BTreeSet<_>>() {
            let zeros = vec![T::default(); length];
            let mut last = zeros.clone();
            last[length - 1] = one;
            for numbers in [&zeros, &last] {
                digests.extend([digest(numbers), digest(&Array(numbers)), digest(&Some(numbers))]);
                digests.extend([digest(&(numbers, one)), digest(&(one, numbers)), digest(&[numbers, numbers])]);
            }
        }
        digests
    }
    let mut digests: Vec<Digest> =
        [of(1_u8), of(1_u16), of(1_u32), of(1_u64), of(1_i8), of(1.0_f32), of(true)].concat();
    digests.extend(of(1_u128));
    all_differ(&digests);
}

#[test]
fn runs_within_a_list_of_other_things_keep_their_places() {
    #[derive(Clone, Copy, Serialize)]
    #[serde(untagged)]
    enum Any {
        Byte(u8),
        Word(u16),
        Text(&'static str),
        Many([u8; 3]),
        Wide(u128),
    }
    use Any::{Byte, Many, Text, Wide, Word};
    let all = [Byte(1), Byte(2), Word(1), Text("1"), Many([1; 3]), Wide(1)];
    let mut lists: Vec<Vec<Any>> = vec![vec![]];
    for length in 0..4 {
        let longest: Vec<_> = lists.iter().filter(|list| list.len() == length).cloned().collect();
        lists.extend(longest.iter().flat_map(|list| all.iter().map(|last| [list.as_slice(), &[*last]].concat())));
    }
    assert_eq!(lists.len(), 1555);
    all_differ(&lists.iter().map(digest).collect::<Vec<_>>());
    let bytes = |count| vec![Byte(1); count];
    for count in lengths(1) {
        assert_eq!(digest(&bytes(count)), digest(&vec![1_u8; count]));
    }
}

#[test]
fn the_tuple_of_a_few_numbers_is_not_the_array_of_many() {
    // What follows an array of n zeros could be taken for the words of a run.
    let mut digests: Vec<_> = (0..40).map(|count| digest(&Array(&vec![0_u64; count]))).collect();
    digests.extend((1..40).map(|count| digest(&(count as u64, Array(&vec![0_u64; count])))));
    digests.extend((1..16).map(|count| digest(&Array(&[vec![count as u64], vec![0; count]].concat()))));
    all_differ(&digests);
}
