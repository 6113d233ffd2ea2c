//! docs/recipes.md: each file in it is read, and the run that follows has what it promises.

use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;
use crate::tidy::ROOT;

/// What a run with the recipe below this heading says to the engine.
const RECIPES: [(&str, &[&str]); 8] = [
    (
        "A web developer",
        &[
            "127.0.0.1:3000:3000",
            "overlay/node_modules,target=/workspace/shop/node_modules",
            "1073741824",
            "HOST=0.0.0.0",
            "/ai/cache/playwright",
        ],
    ),
    (
        "A data scientist",
        &["source=/data/sets,target=/data/sets,readonly", "source=/data/results,target=/data/results", "--gpus", "ai-made:"],
    ),
    ("A monorepo", &["packages%2Fapi%2Fnode_modules,target=/workspace/mono/packages/api/node_modules", "8589934592"]),
    (
        "A company's network",
        &["https_proxy=http://proxy.example:3128", "no_proxy=localhost,127.0.0.1,.example", "SSL_CERT_FILE=/ai/user/ca.pem"],
    ),
    ("Bedrock, Vertex", &["/.aws,target=/home/ai/.aws,readonly", "CLAUDE_CODE_USE_BEDROCK=1", "AWS_PROFILE"]),
    ("Databases by compose", &["api_default", "DATABASE_URL=postgres://app@db:5432/app"]),
    ("Tests that need docker", &["DOCKER_HOST=tcp://engine:2375", "tests", "ai-made:"]),
    ("A token for one registry", &["NPM_TOKEN"]),
];

// NE-01, NE-03, NE-04
#[test]
fn every_recipe_is_read_and_does_what_it_says() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/recipes.md")).unwrap();
    let sections: Vec<(&str, &str)> = page.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    assert_eq!(sections.iter().map(|(title, _)| *title).collect::<Vec<_>>(), RECIPES.map(|(title, _)| title));
    for ((title, section), (_, expected)) in sections.into_iter().zip(RECIPES) {
        let text = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_else(|| panic!("{title}"));
        let name = text.lines().find_map(|line| line.strip_prefix("[project.\"~/work/")?.strip_suffix("\"]")).unwrap_or("proj");
        let sandbox = Sandbox::with_project(name);
        let mut text = text.replace("~/work/", &format!("{}/work/", sandbox.root().display()));
        // What is on no machine of ours.
        for place in ["/data/sets", "/data/results"] {
            fs::create_dir_all(sandbox.root().join(&place[1..])).unwrap();
            text = text.replace(&format!("\"{place}\""), &format!("\"{}{place}\"", sandbox.root().display()));
        }
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", "QUJD".repeat(16));
        sandbox.write("home/company.pem", certificate);
        sandbox.write("home/.aws/config", "[default]\n");
        sandbox.config(&text);
        assert_ne!(sandbox.ai(["config", "check"]).outcome().code, 78, "{title}");
        let run = sandbox.ai(["resolve", "--format", "lines", "claude"]).unset("AI_CA").env("AWS_PROFILE", "work").env("NPM_TOKEN", "x");
        let outcome = run.outcome();
        assert_eq!(outcome.code, 0, "{title}: {}", outcome.err());
        let lines = outcome.out().replace(&format!("{}/data", sandbox.root().display()), "/data");
        for part in expected {
            assert!(lines.contains(part), "{title}: {part} in {lines}");
        }
    }
}

// NE-04
#[test]
fn an_account_that_claude_wants_and_that_is_not_let_in_is_named() {
    let sandbox = Sandbox::new();
    let said = |config: &str, name: &str| {
        sandbox.config(config);
        sandbox.ai(["resolve", "claude"]).env(name, "1").outcome().err()
    };
    let note = said("", "CLAUDE_CODE_USE_BEDROCK");
    assert!(note.contains("CLAUDE_CODE_USE_BEDROCK is set, and your account of aws is not let in; hint: AI_CLOUD=aws"), "{note}");
    assert!(said("", "CLAUDE_CODE_USE_VERTEX").contains("account of gcloud"));
    for config in
        ["cloud = ['aws']", "env = { set = { AWS_BEARER_TOKEN_BEDROCK = 'x' } }", "mounts = [{ path = '~/.aws', at = '/home/ai/.aws' }]"]
    {
        sandbox.write("home/.aws/config", "x");
        assert_eq!(said(config, "CLAUDE_CODE_USE_BEDROCK"), "", "{config}");
    }
    assert_eq!(said("", "AWS_PROFILE"), "");
}
