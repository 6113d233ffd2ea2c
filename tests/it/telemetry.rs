//! `telemetry`: the tools report to a collector of the person's own.

use crate::sandbox::Sandbox;

/// The vector of a run of a tool, a word a line.
fn vector(sandbox: &Sandbox, tool: &str) -> String {
    sandbox.ai(["resolve", "--format", "lines", tool, "--", "hello"]).prints()
}

fn reporting(to: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("AI_TELEMETRY", to);
    sandbox.set("ZAI_API_KEY", "made-up");
    sandbox
}

// DA-04
#[test]
fn each_tool_is_told_in_its_own_words() {
    let sandbox = reporting("otlp://localhost");
    for tool in ["claude", "glm"] {
        let claude = vector(&sandbox, tool);
        for word in [
            "CLAUDE_CODE_ENABLE_TELEMETRY=1\n",
            "OTEL_METRICS_EXPORTER=otlp\n",
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:4317\n",
        ] {
            assert!(claude.contains(word), "{word}{claude}");
        }
    }
    let gemini = vector(&sandbox, "gemini");
    assert!(gemini.contains("GEMINI_TELEMETRY_OTLP_ENDPOINT=http://host.docker.internal:4317\n"), "{gemini}");
    assert!(gemini.contains("GEMINI_TELEMETRY_LOG_PROMPTS=false\n"), "{gemini}");
    let codex = vector(&sandbox, "codex");
    assert!(codex.contains("\n-c\notel.metrics_exporter={otlp-grpc={endpoint=\"http://host.docker.internal:4317\"}}\n"), "{codex}");
    assert!(codex.ends_with("-c\notel.log_user_prompt=false\nhello\n"), "{codex}");
    let sandbox = reporting("https://otel.example.com/tenant/");
    let codex = vector(&sandbox, "codex");
    assert!(codex.contains("otel.exporter={otlp-http={endpoint=\"https://otel.example.com:4318/tenant/v1/logs\",protocol=\"binary\"}}\n"));
    let explained = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    assert!(explained.contains("the tool reports to your collector ($AI_TELEMETRY)"), "{explained}");
    // A guarded run reaches what the person named, and no other tool does.
    let reached = |tool: &str| sandbox.ai(["egress", "list", tool]).prints();
    assert!(reached("codex").contains("otel.example.com:4318!private"), "{}", reached("codex"));
    assert!(!reached("exec").contains("otel.example.com"), "{}", reached("exec"));
    // What is no tool of a maker's reports nothing.
    assert!(!vector(&sandbox, "exec").contains("OTEL"));
}

#[test]
fn nobody_reports_unasked_and_no_project_can_ask() {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", "made-up");
    for tool in ["claude", "gemini", "codex", "glm"] {
        assert!(!vector(&sandbox, tool).contains("TELEMETRY"), "{tool}");
    }
    sandbox.git_init();
    sandbox.write(sandbox.project().join(".ai.toml"), "telemetry = 'otlp://evil.example.com'\n");
    let _ = sandbox.ai(["trust", "--yes"]).outcome();
    let outcome = sandbox.ai(["resolve", "--format", "lines", "claude"]).outcome();
    assert!(!outcome.out().contains("evil") && outcome.err().contains("telemetry"), "{}{}", outcome.out(), outcome.err());
    reporting("localhost:4317").ai(["resolve", "claude"]).outcome().refused(78, &["is no collector such as", "AI_TELEMETRY"]);
}

#[test]
fn a_profile_of_a_persons_own_reports_as_its_tool_does() {
    let sandbox = reporting("http://10.0.0.5");
    sandbox.manifest("mine", "profile_of = 'codex'\n");
    assert!(vector(&sandbox, "mine").contains("http://10.0.0.5:4318/v1/metrics"));
}
