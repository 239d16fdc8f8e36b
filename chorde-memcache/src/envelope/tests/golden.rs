//! What was stored by an older program is read, or at least never misread: these bytes were computed from the table in
//! the module's documentation by another program.

use super::*;

fn sealer() -> Sealer {
    Sealer::new(options(&["testing"])).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn place() -> WireKey {
    WireKey::new([("golden", 2)], b"\x04user\x07")
}

fn seal<V: Serialize>(value: &V, life: u32, tag: u32) -> Sealed {
    let payload = codec::encode(value, ROOM, 1 << 20).unwrap();
    sealer().wrap(&place(), payload, Label { type_tag: codec::type_tag::<V>(), life, tag }).unwrap()
}

const PLAIN: &str = "c40d01002c010000e2e7e4e0060000005ffbbc9da9beffcff07d8ae093bc70835608cbbe279dcbe190c1d2917bbb1b55\
    03616263ac02";

const COMPRESSED: &str = "c40d010180510100a7a922d5d20700000cf167d2d786e68c40d045370e77e5ba2b951df35020fefe11ac97afd32a456e\
    28b52ffd60d2069d000060d00f303132333435363738390100c3f72f49";

const HEAD: &str = "c40d01040100000088af3c1ac70a000003e0cdabc70a000074f5798a7dbcfc34e5b9a0df750360e8055370ab58fa8b67\
    82f9361eb9349a45";

#[test]
fn a_plain_item_is_pinned() {
    let value = ("abc".to_owned(), 300_u32);
    assert_eq!(hex(&seal(&value, 300, 0).head), PLAIN);
    let opened = sealer().open::<(String, u32)>(&place(), &bytes(PLAIN)).unwrap();
    assert_eq!((opened.value, opened.life), (value, 300));
}

/// How zstd compresses may change; that it reads what it wrote may not.
#[test]
fn a_compressed_item_is_read() {
    let value = "0123456789".repeat(200);
    let opened = sealer().open::<String>(&place(), &bytes(COMPRESSED)).unwrap();
    assert_eq!((opened.value, opened.life), (value, 86_400));
    let head = bytes(COMPRESSED);
    assert_eq!(Header::read(&head).unwrap().0.packing, Packing::Zstd);
}

#[test]
fn the_pages_of_a_value_are_pinned() {
    let value: Vec<u16> = (0..1000_u32).map(|n| (n.pow(2).wrapping_mul(2_654_435) >> 8) as u16).collect();
    let mut options = options(&["testing"]);
    options.compress.level = None;
    let sealer = Sealer::new(options).unwrap();
    let payload = codec::encode(&value, ROOM, 1 << 20).unwrap();
    let label = Label { type_tag: codec::type_tag::<Vec<u16>>(), life: 1, tag: 0xabcde };
    let sealed = sealer.wrap(&place(), payload, label).unwrap();
    assert_eq!(hex(&sealed.head[..24 + MAC]), HEAD);
    assert_eq!((sealed.tail.len(), sealed.flags()), (3, 0xabcd_e003));
    let payload = [&sealed.head[24 + MAC..], &sealed.tail.concat()].concat();
    assert_eq!(payload, postcard::to_stdvec(&value).unwrap());
    assert_eq!(reopen::<Vec<u16>>(&sealer, &place(), &sealed).unwrap().value, value);
}

#[test]
fn a_signature_is_that_of_the_table() {
    let sealed = seal(&7_u32, 1, 0);
    let signed = [&sealed.head[..16], &place().digest()[..], &sealed.head[16 + MAC..]].concat();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"testing");
    assert_eq!(ring::hmac::sign(&key, &signed).as_ref(), &sealed.head[16..16 + MAC]);
}
