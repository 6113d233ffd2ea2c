//! The model APIs that the real tools talk to, played on loopback by `tests/bed/mock`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

/// Ends when it is dropped: the server lives as long as its stdin is open.
pub struct Mock {
    server: Child,
    pub url: String,
}

impl Mock {
    /// Starts the servers and points every tool at them, with keys that somebody made up.
    #[track_caller]
    pub fn serve(sandbox: &mut Sandbox) -> Option<Self> {
        let (mock, authority) = Self::start(sandbox, &[])?;
        let url = &mock.url;
        sandbox.set("ANTHROPIC_BASE_URL", url);
        // Codex warns of a home below the directory of temporary files, where that of a test is.
        // Two have their server's address built in, and glm's is a part of its profile.
        fs::copy(authority, sandbox.project().join(".ca.pem")).unwrap();
        let authority = "/workspace/proj/.ca.pem";
        sandbox.config(&format!(
            "[tool.codex.env]\nTMPDIR = '/home/ai'\nHTTPS_PROXY = '{url}'\nCODEX_CA_CERTIFICATE = '{authority}'\n\
             [tool.gemini.env]\nHTTPS_PROXY = '{url}'\nNODE_EXTRA_CA_CERTS = '{authority}'\n\
             [tool.glm.env]\nANTHROPIC_BASE_URL = '{url}'\n"
        ));
        Some(mock)
    }

    /// Starts them as a company's proxy with an authority of its own, between the tools and the whole world, registries among it.
    #[track_caller]
    pub fn company(sandbox: &mut Sandbox) -> Option<Self> {
        let (mock, authority) = Self::start(sandbox, &["--packages"])?;
        sandbox.unset("AI_CA");
        sandbox.config(&format!("proxy = '{}'\nca = '{authority}'\n[tool.codex.env]\nTMPDIR = '/home/ai'\n", mock.url));
        Some(mock)
    }

    /// Starts them as the vendors themselves, behind a proxy of the person's; what they hear is in the file `heard`.
    #[track_caller]
    pub fn vendors(sandbox: &mut Sandbox) -> Option<Self> {
        let log = sandbox.root().join("heard");
        let (mock, authority) = Self::start(sandbox, &["--log", log.to_str().unwrap()])?;
        sandbox.link("openssl", find_program("openssl").unwrap());
        sandbox.unset("AI_CA");
        sandbox.set("AI_NETWORK", "guard");
        sandbox.set("HTTPS_PROXY", &mock.url);
        sandbox.config(&format!("ca = '{authority}'\n[tool.codex.env]\nTMPDIR = '/home/ai'\n"));
        Some(mock)
    }

    /// Starts the servers; returns the file of their authority too.
    #[track_caller]
    fn start(sandbox: &mut Sandbox, more: &[&str]) -> Option<(Self, String)> {
        let python = need("python3", find_program("python3"))?;
        let tls = sandbox.root().join("tls");
        fs::create_dir(&tls).unwrap();
        let mut server = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/mock/serve.py"), "--max-seconds", "300", "--tls-dir"])
            .arg(&tls)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        // The container shares the host's network only to reach the mock.
        sandbox.set("AI_NETWORK", "host");
        for key in ["ANTHROPIC_API_KEY", "GEMINI_API_KEY", "CODEX_API_KEY", "ZAI_API_KEY"] {
            sandbox.set(key, "made-up");
        }
        sandbox.set("GEMINI_CLI_TRUST_WORKSPACE", "true");
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        Some((Self { server, url: text("url") }, text("ca")))
    }

    /// One request to the part of the server that is the test's own.
    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        // The server may reset a connection that it has answered.
        let _ = stream.read_to_string(&mut answer);
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// What was asked of it, by path, and of which other hosts.
    pub fn stats(&self) -> Value {
        self.ask("GET", "/__stats", "")
    }

    /// The questions to models, in their order: model, number of tools, length.
    pub fn asked(&self) -> Vec<Value> {
        self.stats()["asked"].as_array().unwrap().clone()
    }

    /// Lets an answer that goes step by step go on to its next piece.
    pub fn step(&self) {
        self.ask("POST", "/__step", "{}");
    }

    /// A login of `tool`: the name of the file that holds it, and its text.
    pub fn login(&self, tool: &str) -> (String, String) {
        self.seed(&format!("{{\"tool\": \"{tool}\"}}"))
    }

    /// One that has ended, and can be renewed once by each of its tokens.
    pub fn ended_login(&self, tool: &str) -> (String, String) {
        self.seed(&format!("{{\"tool\": \"{tool}\", \"expired\": true}}"))
    }

    fn seed(&self, body: &str) -> (String, String) {
        let answer = self.ask("POST", "/__seed", body);
        (answer["file"].as_str().unwrap().to_owned(), answer["document"].to_string())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
