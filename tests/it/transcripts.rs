//! The transcripts in `tests/cmd` and in the README, typed as a person would.

use crate::sandbox::Sandbox;

// I-08, C-16, A-09, R-T07
#[test]
fn the_transcripts_are_what_happens() {
    let sandbox = Sandbox::new();
    let cases = trycmd::TestCases::new();
    // The transcripts are typed in this repository, which holds the program that was built: one that lies in the project is refused.
    let program = sandbox.root().join("ai");
    std::fs::copy(crate::sandbox::AI, &program).unwrap();
    cases.register_bin("ai", program.as_path());
    for (name, value) in sandbox.env() {
        cases.env(name.to_str().unwrap(), value.to_str().unwrap());
    }
    cases.case("tests/cmd/*.trycmd").case("README.md");
}
