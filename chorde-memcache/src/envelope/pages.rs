//! Values that are larger than an item: one string of bytes, cut into pages of one size. The first is the head, at the
//! place of the value; the tail pages lie under keys of their own.
//!
//! A page has no mark of its own. That all are there and belong together is seen by their lengths and, for certain,
//! by the signature over the whole.

use bytes::Bytes;

use super::Damage;
use super::header::{Header, Paged};
use super::sign::MAC;

/// How many bits of an item's flags say how many tail pages there are; the others are the tag.
const COUNT_BITS: u32 = 12;

/// How many tail pages there can be.
pub(super) const MOST: usize = (1 << COUNT_BITS) - 1;

/// How many tags there are.
pub(super) const TAGS: u32 = 1 << (u32::BITS - COUNT_BITS);

/// Names the tail pages of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageSet {
    /// Drawn anew whenever the value is written, so that pages of two writers do not mix: below 2^20.
    pub(crate) tag: u32,
    /// How many tail pages there are: 1 to 4095.
    pub(crate) count: u32,
}

impl PageSet {
    /// Reads the flags that an item is stored with; `None` where it is all of its value.
    pub(crate) fn from_flags(flags: u32) -> Option<Self> {
        let set = Self { tag: flags >> COUNT_BITS, count: flags & MOST as u32 };
        (set.count > 0).then_some(set)
    }

    /// Returns the flags that the head is stored with, so that its pages are known without its data.
    pub(crate) fn flags(self) -> u32 {
        self.tag << COUNT_BITS | self.count
    }
}

/// Returns how many tail pages so many bytes have.
pub(super) fn tails(len: usize, page: usize) -> usize {
    len.div_ceil(page).saturating_sub(1)
}

/// Cuts what is too long for one item into its head and its tail pages, without copying.
pub(super) fn split(mut whole: Bytes, page: usize) -> (Bytes, Vec<Bytes>) {
    let head = whole.split_to(page.min(whole.len()));
    let mut tail = Vec::with_capacity(whole.len().div_ceil(page));
    while !whole.is_empty() {
        tail.push(whole.split_to(page.min(whole.len())));
    }
    (head, tail)
}

/// Returns which pages a head says it has, and how long all are together. It is not yet known who wrote it, so what it
/// says must agree with itself and with its length.
pub(super) fn claimed(header: &Header, head: usize) -> Result<Option<(PageSet, usize)>, Damage> {
    let Some(Paged { set, stored }) = header.paged else {
        return Ok(None);
    };
    let len = header.len() + MAC + stored as usize;
    if head == 0 || tails(len, head) != set.count as usize {
        return Err(Damage::Torn);
    }
    Ok(Some((set, len)))
}

/// Puts a head and its tail pages together again, to `len` bytes.
pub(super) fn join(head: &[u8], tails: &[Bytes], len: usize) -> Result<Vec<u8>, Damage> {
    let (Some(last), page) = (tails.last(), head.len()) else {
        return Err(Damage::Torn);
    };
    // Each page as long as the head, but for the last one, or they are not those of this head.
    let full = tails[..tails.len() - 1].iter().all(|tail| tail.len() == page);
    if !full || page * tails.len() + last.len() != len || last.len() > page {
        return Err(Damage::Torn);
    }
    let mut whole = Vec::with_capacity(len);
    whole.extend_from_slice(head);
    for tail in tails {
        whole.extend_from_slice(tail);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flags_say_which_pages() {
        assert_eq!(PageSet::from_flags(0), None);
        assert_eq!(PageSet::from_flags(0xabcd_e000), None);
        let set = PageSet { tag: 0xabcde, count: 0xfff };
        assert_eq!((set.flags(), PageSet::from_flags(set.flags())), (0xabcd_efff, Some(set)));
        assert_eq!(TAGS, 1 << 20);
    }

    proptest! {
        #[test]
        fn what_is_split_is_joined(bytes in proptest::collection::vec(any::<u8>(), 1..200), page in 1..50_usize) {
            let (head, tail) = split(Bytes::from(bytes.clone()), page);
            prop_assert_eq!(tail.len(), tails(bytes.len(), page));
            if tail.is_empty() {
                prop_assert_eq!(&*head, &*bytes);
                prop_assert_eq!(join(&head, &tail, bytes.len()), Err(Damage::Torn));
                return Ok(());
            }
            prop_assert_eq!(&join(&head, &tail, bytes.len()).unwrap(), &bytes);
            prop_assert_eq!(join(&head, &tail[1..], bytes.len()), Err(Damage::Torn));
            prop_assert_eq!(join(&head, &tail[..tail.len() - 1], bytes.len()), Err(Damage::Torn));
            let swapped: Vec<_> = tail.iter().rev().cloned().collect();
            let torn = swapped[0].len() == tail[0].len();
            prop_assert_eq!(join(&head, &swapped, bytes.len()).is_ok(), torn);
        }
    }
}
