//! Nothing that was not written by us, for this place, is ever taken for a value (scenario 52).

use super::*;

/// Items of all kinds, each as head and tail pages.
fn items() -> Vec<(Sealer, Sealed)> {
    let text = "0123456789".repeat(30);
    [(plain(), "short".to_owned()), (eager(), text.clone()), (compressing(Some(1), 0, Some(b"01234567")), text)]
        .into_iter()
        .chain([(plain(), noise(2000)), (eager(), noise(1500))])
        .map(|(sealer, value)| {
            let sealed = sealer.seal(&key("k"), &value, 300).unwrap();
            assert_eq!(reopen::<String>(&sealer, &key("k"), &sealed).unwrap().value, value);
            (sealer, sealed)
        })
        .collect()
}

/// Reads with whatever pages there are; a head that says it is all is read alone.
fn read(sealer: &Sealer, head: &[u8], tail: &[Bytes]) -> Result<Opened<String>, Damage> {
    let opened = sealer.open_joined(&key("k"), head, tail);
    let alone = sealer.open::<String>(&key("k"), head);
    let pages = sealer.pages(head);
    assert!(!matches!(pages, Ok(Some(_))) || alone.is_err());
    if tail.is_empty() && matches!(pages, Ok(None)) {
        assert_eq!(alone, opened);
    }
    opened
}

#[test]
fn a_changed_byte_anywhere_is_damage() {
    for (sealer, sealed) in items() {
        for at in 0..sealed.head.len() {
            for change in [1, 0x80, 0xff] {
                let mut head = sealed.head.to_vec();
                head[at] ^= change;
                assert!(read(&sealer, &head, &sealed.tail).is_err(), "{at} of {}", head.len());
            }
        }
        for page in 0..sealed.tail.len() {
            for at in 0..sealed.tail[page].len() {
                let mut tail = sealed.tail.clone();
                let mut bytes = tail[page].to_vec();
                bytes[at] ^= 1;
                tail[page] = bytes.into();
                assert_eq!(read(&sealer, &sealed.head, &tail), Err(Damage::Forged), "{at} of page {page}");
            }
        }
    }
}

#[test]
fn a_missing_or_added_byte_anywhere_is_damage() {
    for (sealer, sealed) in items() {
        for len in 0..sealed.head.len() {
            assert!(read(&sealer, &sealed.head[..len], &sealed.tail).is_err(), "{len}");
        }
        let longer = [&sealed.head[..], b"\0"].concat();
        assert!(read(&sealer, &longer, &sealed.tail).is_err());
        for page in 0..sealed.tail.len() {
            for len in 0..sealed.tail[page].len() {
                let mut tail = sealed.tail.clone();
                tail[page].truncate(len);
                assert_eq!(read(&sealer, &sealed.head, &tail), Err(Damage::Torn), "{len} of page {page}");
            }
        }
    }
}

#[test]
fn pages_that_do_not_belong_together_are_torn() {
    let sealer = plain();
    let (one, other) = (noise(4000), noise(4000).chars().rev().collect::<String>());
    let sealed = sealer.seal(&key("k"), &one, 1).unwrap();
    let others = sealer.seal(&key("k"), &other, 1).unwrap();
    let read = |tail: &[Bytes]| read(&sealer, &sealed.head, tail).map(|opened| opened.value);
    assert_eq!(read(&sealed.tail), Ok(one));
    assert_eq!(read(&[]), Err(Damage::Torn));
    assert_eq!(read(&sealed.tail[1..]), Err(Damage::Torn));
    assert_eq!(read(&[&sealed.tail[..], &sealed.tail[..1]].concat()), Err(Damage::Torn));
    assert_eq!(read(&[&sealed.tail[..1], &others.tail[1..]].concat()), Err(Damage::Forged));
    assert_eq!(read(&others.tail), Err(Damage::Forged));
    let mut swapped = sealed.tail.clone();
    swapped.swap(0, 1);
    assert_eq!(read(&swapped), Err(Damage::Forged));
    swapped.rotate_right(1);
    assert_eq!(read(&swapped), Err(Damage::Torn));
    // A head that is all of its value does not take pages.
    let small = sealer.seal(&key("k"), &"small".to_owned(), 1).unwrap();
    assert_eq!(sealer.open_joined::<String>(&key("k"), &small.head, &sealed.tail), Err(Damage::Torn));
    assert_eq!(sealer.open::<String>(&key("k"), &sealed.head), Err(Damage::Torn));
}

#[test]
fn what_belongs_elsewhere_is_forged() {
    for (sealer, sealed) in items() {
        let elsewhere = sealer.open_joined::<String>(&key("other"), &sealed.head, &sealed.tail);
        assert_eq!(elsewhere, Err(Damage::Forged));
        let revised = WireKey::new([("tests", 1)], b"k");
        assert_eq!(sealer.open_joined::<String>(&revised, &sealed.head, &sealed.tail), Err(Damage::Forged));
    }
}

#[test]
fn only_accepted_keys_are_believed() {
    let sealer = |keys: &[&str]| Sealer::new(options(keys)).unwrap();
    let (old, both, new) = (sealer(&["old"]), sealer(&["new", "old"]), sealer(&["new"]));
    let open = |reader: &Sealer, writer: &Sealer| {
        let sealed = writer.seal(&key("k"), &7_u32, 1).unwrap();
        reader.open::<u32>(&key("k"), &sealed.head).map(|opened| opened.value)
    };
    assert_eq!((open(&both, &old), open(&both, &new), open(&new, &both)), (Ok(7), Ok(7), Ok(7)));
    assert_eq!((open(&old, &both), open(&old, &new)), (Err(Damage::Forged), Err(Damage::Forged)));
    assert_eq!(open(&new, &old), Err(Damage::Forged));
}

#[test]
fn a_value_of_another_type_is_named() {
    let sealed = plain().seal(&key("k"), &7_u32, 1).unwrap();
    assert_eq!(plain().open::<u64>(&key("k"), &sealed.head).map(|_| ()), Err(Damage::OtherType));
    assert_eq!(plain().open::<(u32,)>(&key("k"), &sealed.head).map(|_| ()), Err(Damage::OtherType));
}

#[test]
fn what_others_store_is_foreign() {
    for bytes in [&b""[..], b"7", b"1234567890123456789012345678901234567890123456789012345678901234567890"] {
        assert_eq!(plain().open::<u32>(&key("k"), bytes).map(|_| ()), Err(Damage::Foreign));
        assert_eq!(plain().pages(bytes), Err(Damage::Foreign));
    }
}

/// What somebody who has the key could write.
fn signed(sealer: &Sealer, header: Header, payload: &[u8]) -> Vec<u8> {
    let mut whole = [&[0; ROOM], payload].concat();
    let start = sealer.sign(&key("k"), &header, &mut whole);
    whole.split_off(start)
}

#[test]
fn a_bomb_is_not_expanded() {
    let sealer = Sealer::new(SealerOptions { max_value: 100_000, ..options(&["secret"]) }).unwrap();
    let payload = postcard::to_stdvec(&"\0".repeat(1 << 20)).unwrap();
    let bomb = zstd::bulk::compress(&payload, 1).unwrap();
    let header =
        |expanded, packing| Header { packing, life: 1, type_tag: codec::type_tag::<String>(), expanded, paged: None };
    let open = |expanded: usize, packing, payload: &[u8]| {
        let item = signed(&sealer, header(expanded as u32, packing), payload);
        sealer.open::<String>(&key("k"), &item).map(|_| ())
    };
    assert_eq!(open(payload.len(), Packing::Zstd, &bomb), Err(Damage::Oversized));
    assert_eq!(open(u32::MAX as usize, Packing::Zstd, &bomb), Err(Damage::Oversized));
    assert_eq!(open(u32::MAX as usize, Packing::Plain, b"\x01x"), Err(Damage::Oversized));
    for lie in [0, 1, 1000, 100_000] {
        assert_eq!(open(lie, Packing::Zstd, &bomb), Err(Damage::Undecodable), "{lie}");
    }
    let small = zstd::bulk::compress(b"\x01x", 1).unwrap();
    assert_eq!(open(2, Packing::Zstd, &small), Ok(()));
    assert_eq!(open(3, Packing::Zstd, &small), Err(Damage::Undecodable));
    assert_eq!(open(1, Packing::Plain, b"\x01x"), Err(Damage::Undecodable));
    assert_eq!(open(3, Packing::Plain, b"\x01x"), Err(Damage::Undecodable));
    assert_eq!(open(2, Packing::Zstd, b"no"), Err(Damage::Undecodable));
    assert_eq!(open(0, Packing::Zstd, b""), Err(Damage::Undecodable));
    assert_eq!(open(2, Packing::Dictionary(7), &small), Err(Damage::Dictionary));
}

#[test]
fn a_head_that_lies_about_its_pages_is_damage() {
    let sealer = plain();
    let pages = |tag, count, stored, len| {
        let paged = Some(Paged { set: PageSet { tag, count }, stored });
        let header = Header { packing: Packing::Plain, life: 1, type_tag: 0, expanded: stored, paged };
        sealer.pages(&signed(&sealer, header, &vec![0; len]))
    };
    // 24 bytes of header, 32 of signature and 44 of payload are a page of 100.
    assert_eq!(pages(5, 2, 194, 44), Ok(Some(PageSet { tag: 5, count: 2 })));
    assert_eq!(pages(5, 2, 244, 44), Ok(Some(PageSet { tag: 5, count: 2 })));
    assert_eq!(pages(5, 2, 245, 44), Err(Damage::Torn));
    assert_eq!(pages(5, 1, 194, 44), Err(Damage::Torn));
    assert_eq!(pages(5, 4095, 194, 44), Err(Damage::Torn));
    assert_eq!(pages(5, 1, 44, 44), Err(Damage::Torn));
    assert_eq!(pages(5, 0, 44, 44), Err(Damage::Torn));
    assert_eq!(pages(5, 4095, u32::MAX, 44), Err(Damage::Oversized));
}
