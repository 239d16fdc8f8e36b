//! What the compiler says about mistakes in `#[cached]`, word for word, one file for each mistake.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the expected texts anew.

#[test]
fn mistakes_are_reported_where_they_are_with_the_mend() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/arguments/*.rs");
    cases.compile_fail("tests/ui/durations/*.rs");
    cases.compile_fail("tests/ui/keys/*.rs");
    cases.compile_fail("tests/ui/results/*.rs");
    cases.compile_fail("tests/ui/signatures/*.rs");
    cases.compile_fail("tests/ui/types/*.rs");
    cases.compile_fail("tests/ui/companions/*.rs");
    cases.compile_fail("tests/ui/everything/*.rs");
    cases.pass("tests/ui/accepted/*.rs");
}
