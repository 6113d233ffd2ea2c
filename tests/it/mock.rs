//! The model APIs that the real tools talk to, played on loopback by `tests/bed/mock`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

/// Ends when it is dropped: the server lives as long as its stdin is open.
pub struct Mock {
    server: Child,
    pub url: String,
}

impl Mock {
    #[track_caller]
    pub fn start() -> Option<Self> {
        let python = need("python3", find_program("python3"))?;
        let mut server = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/mock/serve.py"), "--max-seconds", "300"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
        Some(Self { server, url: answer["url"].as_str().unwrap().to_owned() })
    }

    /// Points every tool at this server and gives it a key that somebody made up.
    pub fn serve(&self, sandbox: &mut Sandbox) {
        sandbox.set("AI_NETWORK", "host");
        sandbox.set("ANTHROPIC_BASE_URL", &self.url);
        sandbox.set("ANTHROPIC_API_KEY", "sk-ant-made-up");
        sandbox.set("GOOGLE_GEMINI_BASE_URL", &self.url);
        sandbox.set("GEMINI_API_KEY", "made-up");
        sandbox.set("CODEX_API_KEY", "made-up");
        sandbox.set("ZAI_API_KEY", "made-up");
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
