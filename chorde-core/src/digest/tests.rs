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
