//! The transcripts in `tests/cmd` and in the README, typed as a person would.

use crate::sandbox::Sandbox;

// I-08, C-16, A-09, R-T07
#[test]
fn the_transcripts_are_what_happens() {
    let sandbox = Sandbox::new();
    let cases = trycmd::TestCases::new();
    cases.register_bin("ai", std::path::Path::new(crate::sandbox::AI));
    for (name, value) in sandbox.env() {
        cases.env(name.to_str().unwrap(), value.to_str().unwrap());
    }
    cases.case("tests/cmd/*.trycmd").case("README.md");
}
