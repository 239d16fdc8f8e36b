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

const PLAIN: &str = "c40d01002c010000e2e7e4e006000000dad6022fcf48c687ceea0efe90a9bd6d1cad99c045ddd3b261c2cfb9ee9c1de8\
    03616263ac02";

const COMPRESSED: &str = "c40d010180510100a7a922d5d2070000d604834852948fadc3f3ac15d9df397cf6b2d93404bff6684370ecf9a3a4f490\
    28b52ffd60d2069d000060d00f303132333435363738390100c3f72f49";

const HEAD: &str = "c40d01040100000088af3c1ac70a000003e0cdabc70a0000ef012a24b84e5766843bbe57ffc1715a37167ee36696239d\
    84ac1b4961f7d8eb";

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
