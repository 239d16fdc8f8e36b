use super::*;

fn compression(level: Option<i32>, above: usize) -> Compression {
    Compression::new(CompressOptions { level, above, dictionary: None }).unwrap()
}

fn random(len: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..len).map(|_| random.u8(..)).collect()
}

#[test]
fn only_what_becomes_smaller_is_compressed() {
    let compression = compression(Some(1), 100);
    assert!(compression.pack(&[0; 99], 60).is_none(), "too short");
    let (packing, packed) = compression.pack(&[0; 100], 60).unwrap();
    assert_eq!((packing, &packed[..60]), (Packing::Zstd, &[0; 60][..]));
    assert!(packed.len() < 160);
    assert_eq!(compression.unpack(packing, &packed[60..], 100), Ok(vec![0; 100]));
    for len in [100, 1000, 200_000] {
        assert!(compression.pack(&random(len), 60).is_none(), "{len} bytes of noise");
    }
    assert!(self::compression(None, 0).pack(&[0; 1000], 60).is_none(), "switched off");
    assert!(self::compression(Some(1), 0).pack(b"", 60).is_none());
}

#[test]
fn a_context_is_as_good_as_new_after_a_failure() {
    let (used, text) = (compression(Some(1), 0), b"0123456789".repeat(1000));
    let expected = used.pack(&text, 0).unwrap();
    for _ in 0..3 {
        assert!(used.pack(&random(100_000), 0).is_none());
        assert_eq!(used.pack(&text, 0).unwrap(), expected);
        assert_eq!(used.unpack(Packing::Zstd, &expected.1[..20], text.len()), Err(Damage::Undecodable));
        assert_eq!(used.unpack(Packing::Zstd, &expected.1, text.len() - 1), Err(Damage::Undecodable));
        assert_eq!(used.unpack(Packing::Zstd, &expected.1, text.len()), Ok(text.clone()));
    }
}

#[test]
fn a_pool_keeps_what_can_be_at_work_at_once() {
    let pool = Pool { idle: Mutex::default(), most: 1 };
    let outer = pool.with(
        || Ok(1),
        |outer| {
            let inner = pool.with(|| Ok(2), |inner| *inner).unwrap();
            (*outer, inner)
        },
    );
    assert_eq!(outer.unwrap(), (1, 2));
    assert_eq!(*pool.idle(), [2]);
    assert_eq!(pool.with(|| Ok(3), |one| *one).unwrap(), 2, "the idle one is taken again");
    let failed = pool.with(|| Ok(0), |_| pool.with(|| Err(std::io::ErrorKind::Other.into()), |_| ()).is_err());
    assert!(failed.unwrap());
}
