//! Clients read one another whatever their settings are (scenario 53); settings that cannot work are refused.

use super::*;

/// A dictionary as zstd trains it, of values such as [`typical`] makes.
fn trained() -> Vec<u8> {
    let samples: Vec<_> = (0..500).map(|n| postcard::to_stdvec(&typical(n)).unwrap()).collect();
    zstd::dict::from_samples(&samples, 4096).unwrap()
}

/// The same, but with other first offsets than those of a frame without a dictionary (RFC 8878, 5).
fn unusual() -> Vec<u8> {
    let mut dictionary = trained();
    let offsets = [1_u32, 4, 8].map(u32::to_le_bytes).concat();
    let at = dictionary.windows(12).position(|window| window == offsets).unwrap();
    dictionary[at..at + 12].rotate_left(4);
    dictionary
}

fn typical(n: u32) -> String {
    format!("{{\"number\":{n},\"square\":{},\"name\":\"number {n}\",\"even\":{}}}", n * n, n.is_multiple_of(2))
}

fn read(reader: &Sealer, sealed: &Sealed) -> Result<String, Damage> {
    reopen::<String>(reader, &key("k"), sealed).map(|opened| opened.value)
}

#[test]
fn all_settings_read_one_another() {
    let sealers = [
        plain(),
        eager(),
        compressing(Some(-5), 10, None),
        compressing(Some(19), 0, None),
        Sealer::new(SealerOptions { item_size: 5000, ..options(&["secret"]) }).unwrap(),
        Sealer::new(SealerOptions { item_size: 1 << 20, ..options(&["secret"]) }).unwrap(),
        // With a dictionary but without compression: what it writes needs no dictionary.
        compressing(None, 0, Some(&trained())),
        compressing(None, 0, Some(&unusual())),
    ];
    for value in [String::new(), "x".repeat(500), typical(7), typical(7).repeat(100), noise(3000)] {
        for writer in &sealers {
            let sealed = writer.seal(&key("k"), &value, 1).unwrap();
            for reader in &sealers {
                assert_eq!(read(reader, &sealed), Ok(value.clone()), "{writer:?} {reader:?}");
            }
        }
    }
}

#[test]
fn a_dictionary_is_read_by_those_who_have_it() {
    let (dictionary, raw) = (trained(), typical(1).into_bytes());
    let writers = [&dictionary, &raw, &unusual()].map(|dictionary| compressing(Some(1), 0, Some(dictionary)));
    let values: Vec<_> = (1000..1100).map(typical).collect();
    for writer in &writers {
        let sealed: Vec<_> = values.iter().map(|value| writer.seal(&key("k"), value, 1).unwrap()).collect();
        let size = |sealed: &[Sealed]| sealed.iter().map(|sealed| sealed.head.len()).sum::<usize>();
        let without: Vec<_> = values.iter().map(|value| eager().seal(&key("k"), value, 1).unwrap()).collect();
        assert!(size(&sealed) < size(&without), "a dictionary helps with short values");
        for (value, sealed) in values.iter().zip(&sealed) {
            assert_eq!(read(writer, sealed).as_ref(), Ok(value));
            for stranger in [eager(), plain(), compressing(Some(1), 0, Some(b"another"))] {
                assert_eq!(read(&stranger, sealed), Err(Damage::Dictionary));
            }
        }
        for (value, without) in values.iter().zip(&without) {
            assert_eq!(read(writer, without).as_ref(), Ok(value));
        }
    }
    let reader = compressing(None, 0, Some(&dictionary));
    let sealed = writers[0].seal(&key("k"), &values[0], 1).unwrap();
    assert_eq!(read(&reader, &sealed).as_ref(), Ok(&values[0]));
    assert_eq!(read(&writers[1], &sealed), Err(Damage::Dictionary));
}

#[test]
fn one_sealer_serves_many_threads() {
    let sealer = compressing(Some(1), 0, Some(&trained()));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let sealer = &sealer;
            scope.spawn(move || {
                for n in 0..200 {
                    let value = typical(thread * 1000 + n).repeat(n as usize % 30);
                    let sealed = sealer.seal(&key("k"), &value, 1).unwrap();
                    assert_eq!(read(sealer, &sealed), Ok(value));
                }
            });
        }
    });
}

fn refused(change: impl FnOnce(&mut SealerOptions)) -> String {
    let mut options = options(&["secret"]);
    change(&mut options);
    let error = Sealer::new(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn settings_that_cannot_work_are_refused() {
    assert!(refused(|options| options.keys.clear()).contains("checksum_key"));
    assert!(refused(|options| options.keys.push(Vec::new())).contains("checksum_key"));
    assert!(refused(|options| options.item_size = 1023).contains("item_size"));
    assert!(refused(|options| options.max_value = 1 << 32).contains("max_value_size"));
    assert!(refused(|options| options.compress.level = Some(23)).contains("compression level 23"));
    // The magic number of a dictionary, and then nonsense.
    let broken = b"\x37\xa4\x30\xec nonsense".to_vec();
    assert!(refused(|options| options.compress.dictionary = Some(broken)).contains("dictionary"));
}

#[test]
fn no_secret_is_shown() {
    let mut options = options(&["hush-hush"]);
    options.compress.dictionary = Some(b"hush-hush".to_vec());
    let shown = format!("{options:?} {:?}", Sealer::new(options.clone()).unwrap());
    assert!(!shown.contains("hush") && !shown.contains("104, 117"), "{shown}");
    assert!(!Error::from(Unsealable::TooLarge { limit: 1 }).to_string().contains("hush"));
}
