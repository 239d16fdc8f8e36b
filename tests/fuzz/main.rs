//! Any bytes may come from a server, lie under a key, or be a key: the targets of `fuzz/`, run on what the fuzzer has found
//! and on mutations of it.

#[path = "../../fuzz/keys.rs"]
mod keys;
#[path = "../../fuzz/stable.rs"]
mod stable;

use stable::check;

#[test]
fn replies_to_meta_commands_are_read_the_same_however_they_are_cut() {
    check("meta_decode", chorde_memcache::__fuzz::meta_decode);
}

#[test]
fn each_meta_command_is_one_legal_line() {
    check("meta_encode", chorde_memcache::__fuzz::meta_encode);
}

#[test]
fn exactly_one_answer_passes_the_guard_of_a_classic_connection() {
    check("classic_guard", chorde_memcache::__fuzz::classic_guard);
}

#[test]
fn only_what_was_sealed_is_opened() {
    check("envelope", chorde_memcache::__fuzz::envelope);
}

#[test]
fn pages_are_joined_as_they_were_split_or_not_at_all() {
    check("pages", chorde_memcache::__fuzz::pages);
}

#[test]
fn wire_keys_are_legal_and_equal_only_for_equal_keys() {
    check("wire_keys", chorde_memcache::__fuzz::wire_keys);
}

#[test]
fn configurations_are_judged_as_by_the_oracle() {
    check("configuration", chorde_elasticache::__fuzz::configuration);
}

#[test]
fn different_keys_have_different_bytes_and_digests() {
    check("keys", keys::keys);
}
