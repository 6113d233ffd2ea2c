//! `tests/vulnerabilities`, which `make audit` asks: scanners that are there, and what becomes of what they say.

use crate::sandbox::Sandbox;

/// The exit code with these words, and what the scanners were asked.
fn ask(sandbox: &Sandbox, words: &[&str]) -> (i32, String) {
    let _ = std::fs::remove_file(sandbox.root().join("asked"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vulnerabilities");
    let outcome = sandbox.run("bash").args([script].iter().chain(words)).outcome();
    (outcome.code, std::fs::read_to_string(sandbox.root().join("asked")).unwrap_or_default())
}

//
#[test]
fn what_is_high_or_critical_ends_a_strict_look() {
    let sandbox = Sandbox::new();
    let scanner = |name: &str, code: u8| {
        sandbox.program(name, &format!("#!/bin/sh\necho {name} \"$@\" >>'{}/asked'; exit {code}\n", sandbox.root().display()));
    };
    assert_eq!((ask(&sandbox, &[]).0, ask(&sandbox, &["--strict"]).0), (0, 1), "nobody is there to ask");
    scanner("trivy", 0);
    let (code, asked) = ask(&sandbox, &["--strict"]);
    assert!(code == 0 && asked.contains("trivy fs ") && asked.contains("--severity HIGH,CRITICAL --exit-code 1"), "{asked}");
    assert!(asked.trim_end().ends_with("/Cargo.lock"), "{asked}");
    scanner("grype", 2);
    assert_eq!((ask(&sandbox, &[]).0, ask(&sandbox, &["--strict"]).0), (0, 1));
    let (code, asked) = ask(&sandbox, &["--strict", "sbom.json"]);
    assert!(code == 1 && asked.contains("1 sbom.json\n") && asked.contains("--fail-on high sbom:sbom.json"), "{asked}");
}
