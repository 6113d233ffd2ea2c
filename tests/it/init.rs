//! What `ai init` prints, in the shells that read it.

use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;

//
#[test]
fn every_function_is_there_and_nothing_is_said() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.shell(shell, "true").prints(), "");
        for name in ["claude", "gemini", "codex", "glm", "gexec"] {
            let kind = sandbox.shell(shell, &format!("type {name}")).prints();
            assert!(kind.contains("function"), "{shell:?} {name}: {kind}");
        }
    }
}

//
#[test]
fn loading_changes_nothing_else() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let state = match shell {
            Shell::Zsh => "env; pwd; setopt; unsetopt; trap",
            Shell::Bash => "env; pwd; set +o; shopt; trap -p",
            Shell::Fish => "env; pwd; set --export --names; status features",
        };
        // Some shells make directories of their own when they first start.
        sandbox.bare(shell, "true").prints();
        let home = tree(&sandbox.home());
        let status = shell.text("$?", "$status");
        let script = format!("{state}\necho boundary\n{}\necho {status} | grep -qx 0 && {state}", shell.load(""));
        let printed = sandbox.bare(shell, &script).prints();
        let (before, after) = printed.split_once("boundary\n").unwrap();
        assert_eq!(before, after, "{shell:?}");
        assert_eq!(home, tree(&sandbox.home()), "{shell:?}");
    }
}
