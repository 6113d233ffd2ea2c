//! The engine's argument vector, word by word.

use crate::sandbox::Sandbox;

// C-01
#[test]
fn the_program_is_the_tool_that_was_named() {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", "made-up");
    for (tool, program) in [("claude", "claude"), ("gemini", "gemini"), ("codex", "codex"), ("glm", "claude"), ("exec", "x")] {
        let argv = sandbox.plan([tool, "x"]);
        assert_eq!(argv.tail()[1], program, "{tool}");
        assert!(argv.values("--label").contains(&format!("ai.tool={tool}")), "{tool}");
    }
}
