//! Any bytes may lie under a key: the targets of this module (feature `testing`).

use std::sync::LazyLock;

use bytes::Bytes;

use super::header::{self, Header, Packing, Paged};
use super::{CompressOptions, Damage, MAC, PageSet, ROOM, Sealed, Sealer, SealerOptions, codec, pages};
use crate::input::Input;
use crate::wire_key::WireKey;

/// What the targets store.
type Value = (String, Vec<u16>, Option<u64>);

/// The longest payload here: what a header announces is allocated.
const MOST: usize = 1 << 16;

/// Sealers of all settings that items are read alike with.
static SEALERS: LazyLock<[Sealer; 4]> = LazyLock::new(|| {
    let make = |level, item_size, dictionary: Option<&[u8]>| {
        let compress = CompressOptions { level, above: 0, dictionary: dictionary.map(<[u8]>::to_vec) };
        let keys = vec![b"secret".to_vec(), b"older".to_vec()];
        Sealer::new(SealerOptions { keys, compress, item_size, max_value: MOST }).expect("these options can work")
    };
    let dictionary = b"a dictionary of the words that values are made of, again and again";
    [
        make(None, 1024, None),
        make(Some(1), 1024, None),
        make(Some(1), 1 << 20, Some(dictionary)),
        make(None, 1 << 20, None),
    ]
});

/// Where values are written.
fn key() -> WireKey {
    WireKey::new([("fuzz", 0)], b"k")
}

/// Where nothing ever is: what the fuzzer learns of signed items, by the comparisons that it watches, is foreign there.
fn untouched() -> WireKey {
    WireKey::new([("fuzz", 0)], b"untouched")
}

/// Reads what may lie under a key: only what was written there is a value, and it is the one that was written.
///
/// The input is a sealer, what is wrong with the item, and the item or what it is made of.
pub(crate) fn envelope(data: &[u8]) {
    let mut input = Input::new(data);
    let sealer = &SEALERS[input.below(4)];
    match input.below(4) {
        0 => foreign(sealer, input),
        1 => nonsense(sealer, input),
        2 => spoilt(sealer, input),
        _ => round_trip(sealer, input),
    }
}

/// Does all that can be done with an item; returns what of it was taken for a value.
fn read(sealer: &Sealer, place: &WireKey, head: &[u8], tail: &[Bytes]) -> Option<Value> {
    let (pages, alone) = (sealer.pages(head), sealer.open::<Value>(place, head));
    let joined = sealer.open_joined::<Value>(place, head, tail);
    let other = sealer.open_joined::<Vec<String>>(place, head, tail);
    assert!(other.is_err() || joined.is_err(), "a value of two types");
    assert!(sealer.open_joined::<Value>(&WireKey::new([("fuzz", 0)], b"other"), head, tail).is_err());
    match pages {
        Ok(Some(PageSet { tag, count })) => {
            assert!(tag < pages::TAGS && (1..=pages::MOST).contains(&(count as usize)));
            assert!(alone.is_err(), "a head is not all of its value");
        }
        Ok(None) if tail.is_empty() => assert_eq!(alone, joined),
        Ok(None) => assert_eq!(joined, Err(Damage::Torn)),
        Err(damage) => assert_eq!(joined.as_ref().err(), Some(&damage)),
    }
    joined.or(alone).ok().map(|opened| opened.value)
}

/// Whatever somebody stores who does not have the key is none of our values.
fn foreign(sealer: &Sealer, mut input: Input<'_>) {
    let good = input.is_set();
    let tail: Vec<_> = (0..input.below(3)).map(|_| Bytes::copy_from_slice(input.bytes())).collect();
    let head = if good { [&[0xc4, 0x0d, 1], input.rest()].concat() } else { input.rest().to_vec() };
    assert_eq!(read(sealer, &untouched(), &head, &tail), None);
}

/// Somebody who has the key may err as well: what is signed is judged like all else, and is what was signed.
fn nonsense(sealer: &Sealer, mut input: Input<'_>) {
    let packing = match input.below(4) {
        0 => Packing::Plain,
        1 => Packing::Zstd,
        // The dictionary that is there, and any other.
        2 => SEALERS[2].compression.pack(&[7; 99], 0).expect("shorter").0,
        _ => Packing::Dictionary(input.number32()),
    };
    let paged = input.is_set().then(|| {
        let set = PageSet { tag: input.number32() % pages::TAGS, count: 1 + input.number32() % pages::MOST as u32 };
        Paged { set, stored: input.number32() }
    });
    let (life, expanded, cut) = (input.number32(), input.number32(), input.number() as usize);
    let is_right = input.is_set();
    let expanded = if is_right { input.rest().len() as u32 } else { expanded };
    let header = Header { packing, life, type_tag: codec::type_tag::<Value>(), expanded, paged };
    let mut whole = [&[0; ROOM], input.rest()].concat();
    let start = sealer.sign(&key(), &header, &mut whole);
    let whole = &whole[start..];
    let alone = read(sealer, &key(), whole, &[]);
    if packing == Packing::Plain && paged.is_none() {
        let written = codec::decode::<Value>(input.rest()).ok().filter(|_| expanded as usize == input.rest().len());
        assert_eq!(alone, written.filter(|_| expanded as usize <= MOST));
    }
    let (head, tail) = whole.split_at(cut % (whole.len() + 1));
    read(sealer, &key(), head, &[Bytes::copy_from_slice(tail)]);
}

/// An item that was changed anywhere is no value any more.
fn spoilt(sealer: &Sealer, mut input: Input<'_>) {
    let value = value(&mut input);
    let sealed = sealer.seal(&key(), &value, 1).expect("the value can be sealed");
    let intact: Vec<Bytes> = std::iter::once(&sealed.head).chain(&sealed.tail).cloned().collect();
    let mut items: Vec<Vec<u8>> = intact.iter().map(|item| item.to_vec()).collect();
    while !input.is_empty() {
        spoil(&mut items, &mut input);
    }
    let items: Vec<_> = items.into_iter().map(Bytes::from).collect();
    let (head, tail) = items.split_first().map_or((&[][..], &[][..]), |(head, tail)| (&head[..], tail));
    let got = read(sealer, &key(), head, tail);
    // A head that is all of its value is read without looking for others.
    let is_intact = items == intact || (intact.len() == 1 && items.first() == intact.first());
    assert_eq!(got, is_intact.then_some(value));
}

/// Does one thing that goes wrong with items.
fn spoil(items: &mut Vec<Vec<u8>>, input: &mut Input<'_>) {
    let what = input.byte();
    if items.is_empty() {
        return;
    }
    let (item, other) = (input.below(items.len()), input.below(items.len()));
    let bytes = &mut items[item];
    let at = input.number() as usize % (bytes.len() + 1);
    match what % 8 {
        0 if at < bytes.len() => bytes[at] ^= input.byte(),
        0 | 1 => bytes.truncate(at),
        2 => bytes.insert(at, input.byte()),
        3 => drop(bytes.drain(at..(at + input.below(64)).min(bytes.len()))),
        4 => drop(items.remove(item)),
        5 => items.swap(item, other),
        6 => {
            let copy = items[item].clone();
            items.insert(other, copy);
        }
        _ => {
            let copy = items[item].clone();
            items[other].splice(.., copy);
        }
    }
}

fn round_trip(sealer: &Sealer, mut input: Input<'_>) {
    let life = input.number32();
    let value = value(&mut input);
    let sealed = sealer.seal(&key(), &value, life).expect("the value can be sealed");
    let Sealed { head, tail, .. } = &sealed;
    assert_eq!(sealed.len(), head.len() + tail.iter().map(Bytes::len).sum::<usize>());
    assert!(head.len() <= sealer.page && tail.iter().all(|page| (1..=sealer.page).contains(&page.len())));
    assert_eq!(sealer.pages(head), Ok(PageSet::from_flags(sealed.flags())));
    // A dictionary is for those who have it; all else is read whatever the settings.
    let strangers = if std::ptr::eq(sealer, &SEALERS[2]) { &SEALERS[2..3] } else { &SEALERS[..] };
    for reader in strangers {
        let opened = reader.open_joined::<Value>(&key(), head, tail).expect("what is sealed is opened");
        assert_eq!((&opened.value, opened.life, opened.seed), (&value, life, sealed.seed()));
    }
}

fn value(input: &mut Input<'_>) -> Value {
    let text = input.text().repeat(1 + input.below(40));
    let numbers = input.bytes().iter().map(|byte| u16::from(*byte) << (byte % 9)).collect();
    (text, numbers, input.is_set().then(|| input.number()))
}

/// Reads headers and pages out of any bytes: what is read is written alike, what a head claims agrees with itself, and
/// pages are joined as they were split or not at all.
///
/// The input is the length of a page, which page to tamper with, and the bytes.
pub(crate) fn pages(data: &[u8]) {
    let mut input = Input::new(data);
    let (page, tampered, amount) = (1 + input.below(256), input.below(256), input.byte());
    let bytes = input.rest();
    if let Ok((header, rest)) = Header::read(bytes) {
        let mut room = [0; header::LONGEST];
        let start = header.write(&mut room);
        assert_eq!([&room[start..], rest].concat(), bytes, "there is one way to write a header");
        claim(&header, bytes.len());
    }
    let (head, tail) = pages::split(Bytes::copy_from_slice(bytes), page);
    assert_eq!((tail.len(), [&head[..], &tail.concat()].concat()), (pages::tails(bytes.len(), page), bytes.to_vec()));
    let joined = pages::join(&head, &tail, bytes.len());
    assert_eq!(joined.as_deref().ok(), (!tail.is_empty()).then_some(bytes));
    let Some(at) = tampered.checked_rem(tail.len()) else { return };
    let mut longer = tail.clone();
    longer[at] = [&tail[at][..], &vec![0; usize::from(amount) + 1]].concat().into();
    assert_eq!(pages::join(&head, &longer, bytes.len()), Err(Damage::Torn));
    let mut shorter = tail;
    let less = usize::from(amount) % shorter[at].len();
    shorter[at].truncate(less);
    assert_eq!(pages::join(&head, &shorter, bytes.len()), Err(Damage::Torn));
    shorter.remove(at);
    assert_eq!(pages::join(&head, &shorter, bytes.len()), Err(Damage::Torn));
}

/// Checks what a head of this length claims of its pages.
fn claim(header: &Header, head: usize) {
    let Ok(Some((set, len))) = pages::claimed(header, head) else { return };
    assert_eq!(PageSet::from_flags(set.flags()), Some(set));
    assert_eq!(len, header.len() + MAC + header.paged.map_or(0, |paged| paged.stored as usize));
    // As many pages as are needed for so many bytes, neither more nor fewer.
    let count = set.count as usize;
    assert!(count * head < len && len <= (count + 1) * head, "{len} bytes in {count} pages of {head}");
}
