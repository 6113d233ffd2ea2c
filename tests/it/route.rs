//! Which tool runs where none is named: rules of the configuration, asked by `ai route`, `ai run --auto` and `ai-run`.

use serde_json::{Value, json};

use crate::engine::Call;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

const RULES: &str = "budget_day = 0.01\n
[[route]]
tool = \"codex\"
words = [\"refactor*\"]

[[route]]
tool = \"gemini\"
stdin = true

[[route]]
tool = \"clude\"
longer_than = 40
";

fn with_rules() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config(RULES);
    sandbox
}

/// The tools that were run, in order.
fn ran(sandbox: &Sandbox) -> Vec<String> {
    let label = |call: Call| call.argv.iter().find_map(|word| word.to_str()?.strip_prefix("ai.tool=").map(str::to_owned));
    sandbox.calls().into_iter().filter_map(label).collect()
}

#[test]
fn rules_pick_the_tool_for_words_that_name_none() {
    let sandbox = with_rules();
    for (words, tool) in
        [(&["fix"][..], "claude\n"), (&["please", "Refactor!"], "codex\n"), (&["--refactor", "fix"], "claude\n"), (&[], "claude\n")]
    {
        let outcome = sandbox.ai(["route", "--"].iter().chain(words)).succeeds();
        assert_eq!((outcome.out().as_str(), outcome.err().as_str()), (tool, ""), "{words:?}");
    }
    assert_eq!(sandbox.ai(["route", "fix"]).stdin("a log").prints(), "gemini\n");
    let route: Value = serde_json::from_str(&sandbox.ai(["route", "--json", "refactor"]).prints()).unwrap();
    let place = sandbox.store().join("config.toml");
    assert_eq!((&route["tool"], &route["origin"]), (&"codex".into(), &format!("{}:3", place.display()).into()), "{route}");
    assert_eq!(route["rules"][1]["why"][0], "nothing is piped in");
    let table = sandbox.ai(["route", "--explain", "fix"]).prints();
    let states: Vec<_> = table.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(states, ["codex no", "gemini no", "clude no", "claude runs"], "{table}");
    // What would run is shown, with its rule.
    let explained = sandbox.ai(["resolve", "--explain", "--auto", "--", "refactor"]).prints();
    assert!(explained.contains("ai.tool=codex") && !explained.contains("ai.tool=claude"), "{explained}");
    // A rule for a tool that is not there is no reason to run another one.
    for line in [["route", "x"], ["run", "--auto"]] {
        let long = sandbox.ai(line).args(["--", &"word ".repeat(9)]).outcome();
        long.refused(78, &["config.toml:11: there is no tool `clude`", "did you mean `tool = \"claude\"`?"]);
    }
    sandbox.ai(["config", "check"]).outcome().refused(78, &["config.toml:11: there is no tool `clude`"]);
    assert_eq!(ran(&sandbox), Vec::<String>::new());
}

#[test]
fn what_is_run_gets_every_word_as_it_stands() {
    let sandbox = with_rules();
    sandbox.ai(["run", "--auto", "--", "refactor", "--", "it all"]).succeeds();
    assert_eq!(sandbox.the_run().argv.iter().rev().take(3).rev().collect::<Vec<_>>(), ["refactor", "--", "it all"]);
    for shell in Shell::all() {
        sandbox.shell(shell, "ai-run 'refactor it'; ai-run fix; ai-mode gemini 2>/dev/null; ai-run fix").succeeds();
    }
    let expected = vec!["codex", "claude", "gemini"].repeat(Shell::all().len());
    assert_eq!(ran(&sandbox)[1..], expected);
}

#[test]
fn a_spent_budget_picks_another_tool() {
    let sandbox = Sandbox::new();
    sandbox.config("budget_month = 0.01\n[[route]]\ntool = \"glm\"\nover_budget = \"month\"\n");
    assert_eq!(sandbox.ai(["route"]).prints(), "claude\n");
    let now = String::from_utf8(std::process::Command::new("date").args(["-u", "+%FT%TZ"]).output().unwrap().stdout).unwrap();
    let usage = json!({ "output_tokens": 1_000_000 });
    let line = json!({ "timestamp": now.trim(), "message": { "id": "1", "model": "claude-opus-5-5", "usage": usage } });
    sandbox.write(
        format!("{}/global_state/claude/projects/p-01234567/home/projects/a/b.jsonl", sandbox.store().display()),
        format!("{line}\n"),
    );
    assert_eq!(sandbox.ai(["route"]).prints(), "glm\n");
    let table = sandbox.ai(["route", "--explain"]).prints();
    assert!(table.contains("glm     runs  $") && table.contains(" of $0.0100 this month ("), "{table}");
}
