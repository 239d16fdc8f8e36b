//! Any bytes may come from a server: whatever they are, they are judged without a panic and without much memory.

use proptest::collection::vec;

use super::*;

type Value = (String, Vec<Shape>, Option<u64>);

/// All that can be asked of bytes; true if any of it was taken for a value.
fn ask(sealer: &Sealer, head: &[u8], tail: &[Bytes]) -> bool {
    let pages = sealer.pages(head);
    let alone = sealer.open::<Value>(&key("k"), head);
    let text = sealer.open_joined::<String>(&key("k"), head, &[]);
    let joined = sealer.open_joined::<Value>(&key("k"), head, tail);
    if let Ok(Some(set)) = pages {
        assert!((1..4096).contains(&set.count) && set.tag < 1 << 20);
    }
    alone.is_ok() || text.is_ok() || joined.is_ok()
}

fn bytes(len: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..len)
}

/// One thing that goes wrong with bytes.
#[derive(Clone, Debug)]
enum Wrong {
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn wrong() -> impl Strategy<Value = Wrong> {
    let at = || prop_oneof![0..64_usize, 0..4096_usize];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Wrong::Set(at, byte)),
        at().prop_map(Wrong::Cut),
        (at(), at()).prop_map(|(at, len)| Wrong::Remove(at, len)),
        (at(), bytes(20)).prop_map(|(at, bytes)| Wrong::Insert(at, bytes)),
        (at(), at()).prop_map(|(at, len)| Wrong::Repeat(at, len)),
    ]
}

fn spoil(bytes: &mut Vec<u8>, wrong: &Wrong) {
    let within = |at: usize, most: usize| at % (most + 1);
    let len = bytes.len();
    match wrong {
        Wrong::Set(at, byte) if len > 0 => bytes[at % len] = *byte,
        Wrong::Set(..) => {}
        Wrong::Cut(at) => bytes.truncate(within(*at, len)),
        Wrong::Remove(at, more) => {
            let at = within(*at, len);
            bytes.drain(at..at + within(*more, len - at));
        }
        Wrong::Insert(at, inserted) => {
            let at = within(*at, len);
            bytes.splice(at..at, inserted.iter().copied());
        }
        Wrong::Repeat(at, more) => {
            let at = within(*at, len);
            bytes.extend_from_within(at..at + within(*more, len - at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_judged(head in bytes(300), tail in vec(bytes(300), 0..4)) {
        let tail: Vec<_> = tail.into_iter().map(Bytes::from).collect();
        prop_assert!(!ask(&eager(), &head, &tail));
    }

    #[test]
    fn any_bytes_after_a_good_beginning_are_judged(flags in 0..8_u8, rest in bytes(300), tail in vec(bytes(300), 0..4)) {
        let tail: Vec<_> = tail.into_iter().map(Bytes::from).collect();
        let head = [&[0xc4, 0x0d, 1, flags][..], &rest].concat();
        prop_assert!(!ask(&eager(), &head, &tail));
    }

    #[test]
    fn spoilt_items_are_judged(
        text in prop_oneof!["[ab]{0,2000}", ".{0,900}"],
        shapes in vec(shape(), 0..3),
        wrongs in vec((0..6_usize, wrong()), 1..6),
    ) {
        let sealer = eager();
        let sealed = sealer.seal(&key("k"), &(text, shapes, Some(7_u64)), 1).unwrap();
        let intact: Vec<_> = std::iter::once(&sealed.head).chain(&sealed.tail).cloned().collect();
        let mut spoilt: Vec<_> = intact.iter().map(|page| page.to_vec()).collect();
        for (page, wrong) in &wrongs {
            let page = page % spoilt.len();
            spoil(&mut spoilt[page], wrong);
        }
        let spoilt: Vec<_> = spoilt.into_iter().map(Bytes::from).collect();
        prop_assert!(!ask(&sealer, &spoilt[0], &spoilt[1..]) || spoilt == intact);
    }

    /// Somebody who has the key may err, too.
    #[test]
    fn signed_nonsense_is_judged(
        kind in 0..3_u8,
        fields: [u32; 2],
        expanded in prop_oneof![0..400_u32, any::<u32>()],
        paged in proptest::option::of((0..1_u32 << 20, 1..4096_u32, prop_oneof![0..400_u32, any::<u32>()])),
        payload in bytes(400),
        squeeze: bool,
        known: bool,
    ) {
        let sealer = compressing(Some(1), 0, Some(b"dictionary"));
        let packing = match kind {
            0 => Packing::Plain,
            1 => Packing::Zstd,
            _ if known => Header::read(&sealer.seal(&key("k"), &"x".repeat(99), 1).unwrap().head).unwrap().0.packing,
            _ => Packing::Dictionary(fields[0]),
        };
        let paged = paged.map(|(tag, count, stored)| Paged { set: PageSet { tag, count }, stored });
        let expanded = if squeeze { payload.len() as u32 } else { expanded };
        let payload = if squeeze && kind > 0 { zstd::bulk::compress(&payload, 1).unwrap() } else { payload };
        let header = Header { packing, life: fields[1], type_tag: codec::type_tag::<Value>(), expanded, paged };
        let mut whole = [&[0; ROOM], &*payload].concat();
        let start = sealer.sign(&key("k"), &header, &mut whole);
        let whole = &whole[start..];
        ask(&sealer, whole, &[]);
        let (head, tail) = whole.split_at(whole.len() / 2 + 1);
        ask(&sealer, head, &[Bytes::copy_from_slice(tail)]);
    }
}
