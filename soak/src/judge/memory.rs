//! Whether a process keeps what it should have given back.

/// What a process had at a time of rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: u64,
    pub(crate) kibibytes: u64,
    pub(crate) descriptors: u64,
}

/// Rests after which a process has warmed up.
const WARM: usize = 3;

/// Rests that it takes afterwards to tell a trend.
const ENOUGH: usize = 6;

/// By how much the memory of a warm process may differ from one third of its life to another: the allocator's whim.
const WHIM: u64 = 3 * 1024;

/// By how many open files.
const FILES: u64 = 24;

/// Returns what grew between the first and the last third of the rests after warming up, if that is more than chance.
pub(crate) fn growth(samples: &[Sample]) -> Option<String> {
    let warm = samples.get(WARM..).filter(|warm| warm.len() >= ENOUGH)?;
    let third = warm.len() / 3;
    let (first, last) = (&warm[..third], &warm[warm.len() - third..]);
    let memory = |samples: &[Sample]| median(samples.iter().map(|sample| sample.kibibytes).collect());
    let files = |samples: &[Sample]| median(samples.iter().map(|sample| sample.descriptors).collect());
    if memory(last) > memory(first) + WHIM + memory(first) / 10 {
        return Some(format!("memory grew from {} KiB to {} KiB", memory(first), memory(last)));
    }
    (files(last) > files(first) + FILES).then(|| format!("open files grew from {} to {}", files(first), files(last)))
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(kibibytes: impl Fn(u64) -> u64, descriptors: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |at| Sample { at, kibibytes: kibibytes(at), descriptors: descriptors(at) };
        (0..40).map(sample).collect()
    }

    #[test]
    fn a_steady_process_does_not_grow_whatever_it_did_while_it_warmed_up() {
        let warming = |at: u64| 20_000 + 10_000 * at.min(3) + (at * 7919) % 3000;
        assert_eq!(growth(&samples(warming, |at| 30 + at % 20)), None);
    }

    #[test]
    fn a_leak_of_a_little_for_each_rest_is_growth() {
        assert!(growth(&samples(|at| 50_000 + 400 * at, |_| 30)).is_some());
        assert!(growth(&samples(|_| 50_000, |at| 30 + 2 * at)).is_some());
    }

    #[test]
    fn a_short_life_tells_nothing() {
        assert_eq!(growth(&samples(|at| 50_000 * (at + 1), |_| 30)[..WARM + ENOUGH - 1]), None);
    }
}
