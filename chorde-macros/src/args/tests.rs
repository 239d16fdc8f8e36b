use super::*;

fn read(source: &str) -> (Args, Vec<String>) {
    let mut diag = Diag::default();
    let args = Args::parse(source.parse().unwrap(), &mut diag);
    (args, diag.messages())
}

#[test]
fn every_argument_is_read() {
    let (args, errors) = read(
        "client = CACHE, ttl = 300, async_ttl = -60, key = (a, b), namespace = \"n\", version = \"2\",
         ttl_spread = 3, lease = 5, renew = 6, lazy(max_tiers = 1), encode = enc, decode = dec, cache_if = |v| *v > 1,
         result = true, share_error = copy, single_flight = false, detach = false, timings = false, init = setup::init, companions = true,
         associated = false, crate = crate::rt",
    );
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(args.seen.len(), TABLE.len() - 1);
    assert!(args.skip.is_none());
    assert!(args.krate.is_some() && args.init.is_some() && args.max_tiers.is_some());
    assert!(args.async_ttl.unwrap().negative);
}

#[test]
fn none_is_a_word_only_where_it_means_something() {
    let (args, errors) = read("namespace = none, ttl_spread = none, client = none");
    assert_eq!(errors, Vec::<String>::new());
    assert!(matches!(args.namespace, Naming::Raw));
    assert!(matches!(args.ttl_spread, Spread::Off));
    assert!(args.client.is_some());
}

#[test]
fn a_trailing_comma_is_fine() {
    assert_eq!(read("client = A, ttl = 1, skip(a, self,),").1, Vec::<String>::new());
}

#[test]
fn all_mistakes_are_found_in_one_pass() {
    let (args, errors) = read(
        "clinet = A, ttl, ttl = 4, async_ttl = \"5x\", banana = 1 + f(2, 3), skip, lazy(tiers = 1), time = 5, version = 2",
    );
    assert_eq!(
        errors,
        [
            "unknown argument `clinet`; did you mean `client`?",
            "`ttl` needs a value: write `ttl = 300`",
            "duplicate argument `ttl`; keep one of them",
            "unknown unit `x`; the units are ns, us, ms, s, m, h, d, w",
            "unknown argument `banana`; the arguments are client, ttl, async_ttl, key, skip, namespace, version, ttl_spread, \
             lease, renew, lazy, encode, decode, cache_if, result, share_error, single_flight, detach, timings, init, companions, associated, crate",
            "`skip` needs a value: write `skip(a, b)`",
            "unknown argument of `lazy`; write `lazy(max_tiers = 1)`",
            "unknown argument `time`; did you mean `ttl`?",
            "`version` is a string: write `version = \"2\"`",
        ]
    );
    assert!(args.mentions("ttl") && args.ttl.is_none());
}

#[test]
fn an_unfinished_line_keeps_the_rest() {
    let (args, errors) = read("client = , ttl = 300, key =");
    assert_eq!(errors, ["`client` needs a value: write `client = EXPR`", "`key` needs a value: write `key = EXPR`"]);
    assert!(args.ttl.is_some());
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    let (_, errors) = read("namespace = x, result = 1, crate = 5, skip(), lazy(max_tiers = 1, 2), lazy = 3");
    assert_eq!(
        errors,
        [
            "`namespace` is written `namespace = \"x\" or namespace = none`",
            "expected `true` or `false`",
            "`crate` is written `crate = PATH`",
            "`skip()` skips nothing; name arguments or remove it",
            "`lazy` has one argument: write `lazy(max_tiers = 1)`",
            "duplicate argument `lazy`; keep one of them",
        ]
    );
}
