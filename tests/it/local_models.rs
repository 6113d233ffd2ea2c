//! Models on servers of a person's own: profiles that `ai tools add local` writes, and what a manifest may say of network and image.

use crate::bed::{Bed, Image};
use crate::guarded;
use crate::mock::Mock;
use crate::sandbox::Sandbox;

const CLAUDE: [&str; 11] =
    ["tools", "add", "local", "--like", "claude", "--server", "http://127.0.0.1:11434", "--model", "qwen3-coder", "--name", "lclaude"];

// TO-04
#[test]
fn a_local_model_is_a_tool_like_the_others() {
    let sandbox = Sandbox::new();
    let said = sandbox.ai(CLAUDE).succeeds().err();
    assert!(said.contains("lclaude reaches its server and nothing else") && said.contains("`ai run lclaude` runs it"), "{said}");
    assert!(sandbox.ai(CLAUDE).succeeds().err().contains("lclaude is there already"));
    let of_opencode = ["--like", "opencode", "--model", "m", "--name", "lopencode"];
    let said = sandbox.ai(["tools", "add", "local", "--server", "http://127.0.0.1:11434"]).args(of_opencode).succeeds().err();
    assert!(said.contains("ai image build opencode makes its image, if it is not there; then `ai run lopencode` runs it"), "{said}");
    sandbox.ai(["tools", "check"]).succeeds();
    let argv = sandbox.plan_with(&["--network", "host"], ["lclaude", "hi"]);
    assert_eq!(argv.variables()["ANTHROPIC_BASE_URL"].as_deref(), Some("http://host.docker.internal:11434"));
    assert_eq!(sandbox.ai(["config", "lclaude", "--json"]).prints().matches("manifest of lclaude").count(), 1);
    // On the host, the machine has its usual name, and words of the profile are there, too.
    sandbox.program("codex", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    let codex = CLAUDE.map(|word| if word == "claude" { "codex" } else { word }).map(|word| word.replace("lclaude", "lcodex"));
    sandbox.ai(codex).args(["--key", "MY_KEY"]).succeeds();
    let mut native = sandbox.ai(["run", "lcodex", "--native", "exec", "x"]).env("MY_KEY", "made-up").prints();
    assert!(native.contains("base_url=\"http://127.0.0.1:11434/v1\"") && native.ends_with("-m\nqwen3-coder\nexec\nx\n"), "{native}");
    native = format!("{:?}", sandbox.ai(["resolve", "lcodex", "exec"]).env("MY_KEY", "made-up").env("AI_NETWORK", "host").prints());
    assert!(native.contains("host.docker.internal:11434/v1") && !native.contains("made-up"), "{native}");
    sandbox.ai(["resolve", "lcodex"]).env("AI_NETWORK", "host").outcome().refused(78, &["MY_KEY"]);
}

// TO-04, TO-05
#[test]
fn what_is_missing_or_taken_is_said_with_what_to_type() {
    let sandbox = Sandbox::new();
    let with = |more: &[&str]| sandbox.ai(["tools", "add", "local"]).args(more).outcome();
    with(&[]).refused(2, &["--model is missing", "hint: ai tools add local --like claude --server http://127.0.0.1:11434 --model"]);
    with(&["--like", "gemini", "--model", "m"]).refused(2, &["`gemini` cannot be told of another server", "claude, codex, opencode, qwen"]);
    with(&["--like", "cluade", "--model", "m"]).refused(2, &["--like claude"]);
    with(&["--server", "localhost:11434", "--model", "m"]).refused(2, &["it has no http:// in front"]);
    with(&["--server", "http://key@x", "--model", "m"]).refused(2, &["--key NAME"]);
    with(&["--model", "a b"]).refused(2, &["`a b` is no name of a model"]);
    with(&["--model", "m", "--name", "claude"]).refused(2, &["`claude` comes with ai", "--name local-claude"]);
    with(&["--model", "m", "--name", "cd"]).refused(2, &["`cd` is no name of a tool, or a word of a shell"]);
    sandbox.ai(["tools", "add", "pi", "--model", "m"]).outcome().refused(2, &["only `local`"]);
    assert!(!sandbox.store().join("tools").exists());
    with(&["--model", "m"]).succeeds();
    with(&["--model", "other"]).refused(78, &["local-claude.toml` says something else already", "--name"]);
}

// TO-04: a person's words for all tools are not for one that another image holds, or that says itself what it reaches.
#[test]
fn what_is_said_for_all_tools_takes_nothing_from_a_manifest() {
    let mut sandbox = Sandbox::new();
    sandbox.manifest("mine", "command = [\"mine\"]\nargs = [\"--fast\"]\nimage = \"own:1\"\nnetwork = \"lab\"\n");
    sandbox.set("AI_IMAGE", "all:1");
    let image = |sandbox: &Sandbox, options: &[&str], tool: &str| {
        let argv = sandbox.plan_with(options, [tool, "word"]);
        argv.tail().iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(image(&sandbox, &[], "mine"), "own:1 mine --fast word");
    assert_eq!(image(&sandbox, &[], "claude"), "all:1 claude word");
    assert_eq!(image(&sandbox, &["--image", "flag:1"], "mine"), "flag:1 mine --fast word");
    assert_eq!(sandbox.plan(["mine"]).value("--network"), "lab");
    let row = sandbox.ai(["resolve", "--explain", "mine"]).prints();
    assert!(row.contains("the image; that of $AI_IMAGE is for tools without one"), "{row}");
    sandbox.unset("AI_IMAGE");
    sandbox.config("image = \"all:2\"\nnetwork = \"none\"\n[tool.mine]\nimage = \"mine:2\"\n");
    assert_eq!(image(&sandbox, &[], "mine"), "mine:2 mine --fast word");
    assert_eq!(sandbox.plan(["mine"]).value("--network"), "none");
    sandbox.manifest("mine", "command = [\"mine\"]\nnetwork = \"--privileged\"\n");
    sandbox.ai(["run", "mine"]).outcome().refused(78, &["`network`: `--privileged` is no name"]);
}

// TO-04, GU-01: the real tools, with a server on loopback, and nothing else within reach.
#[test]
fn the_real_tools_answer_from_a_server_on_this_machine() {
    let Some(mut bed) = Bed::new(Image::Tools).and_then(guarded::on) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    bed.unset("AI_NETWORK");
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    for (like, words, heard) in [
        ("claude", &["-p", "hello"][..], "mock-anthropic heard: hello"),
        ("codex", &["exec", "--skip-git-repo-check", "hello"], "mock-openai heard: hello"),
    ] {
        let name = format!("l{like}");
        bed.ai(["tools", "add", "local", "--like", like, "--server", &mock.url, "--model", "qwen3-coder", "--name", &name]).succeeds();
        let outcome = bed.ai(["run", &name, "--"]).args(words).outcome();
        assert!(outcome.code == 0 && outcome.out().contains(heard), "{outcome:?}");
    }
    let asked = mock.asked();
    assert!(asked.len() > 1 && asked.iter().all(|question| question["model"] == "qwen3-coder"), "{asked:?}");
    bed.nothing_left();
}
