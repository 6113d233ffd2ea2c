//! The guarded network on real engines: what gets out, what does not, and what is said about it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::guard_keys::{REAL, SENTINEL};
use crate::guard_life::{helper, wait_for};
use crate::guarded::{Echo, Web, guarded, names, on};
use crate::mock::Mock;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// Devices of the network, the sockets, and whether any of it can be exchanged.
const LOOK: &str = "sed -n 's/:.*//p' /proc/net/dev | tr -d ' '; ls /ai/sock; rm /ai/sock/egress 2>/dev/null || echo kept";

// GU-01, Z-075, Z-076
#[test]
fn there_is_no_way_out_but_the_helper() {
    let Some(mut bed) = guarded(Image::Tools) else { return };
    if !bed.as_user(1000) {
        return;
    }
    assert_eq!(bed.ai(["exec", "--shell", LOOK]).prints(), "lo\negress\nssh_config\nkept\n");
    let ways = [
        "curl -sS --noproxy '*' https://example.com",
        "env -u HTTPS_PROXY -u https_proxy curl -sS https://example.com",
        "curl -sS --noproxy '*' http://169.254.169.254/",
        "curl -sS --noproxy '*' http://[fd00:ec2::254]/",
        "getent hosts example.com",
        "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"8.8.8.8\", 53))'",
        "curl -sS https://example.com",
        "curl -sS http://169.254.169.254/latest/meta-data -f",
        "curl -sS https://1.1.1.1/dns-query",
        "curl -sS -f http://host.docker.internal:22/",
    ];
    let script: String = ways.iter().map(|way| format!("if {way} >/dev/null 2>&1; then echo \"OUT: $_\"; fi\n")).collect();
    let outcome = bed.ai(["exec", "--shell", &format!("{script}echo done")]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "done\n"), "{}", outcome.err());
    let said = outcome.err();
    assert!(said.contains("× example.com") && said.contains("169.254.169.254:80 (an address)") && said.contains("1.1.1.1"), "{said}");
    bed.nothing_left();
}

/// What a run that was refused something says.
fn blocked(host: &str) -> String {
    format!("ai: blocked 1 × {host}; allow with: ai config allow host {host}\n")
}

#[track_caller]
fn log_of_last_run(bed: &Bed) -> Value {
    let log = fs::read_to_string(bed.store().join("log/events.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "run").last().unwrap()
}

// GU-01: said after the run, with the word that allows it; that word works.
#[test]
fn what_was_blocked_is_said_with_the_word_that_allows_it() {
    let Some(bed) = guarded(Image::Tools) else { return };
    names(&bed, &[("web.mock", "127.0.0.1")]);
    bed.write("work/proj/page", "through\n");
    let Some(web) = Web::serve(bed.project()) else { return };
    let peer = format!("web.mock:{}", web.port);
    let get = || bed.ai(["exec", "--", "curl", "-sS", &format!("http://{peer}/page")]).outcome();
    let refused = get();
    assert_eq!(
        (refused.out(), refused.err()),
        (format!("Blocked by ai: {peer}; allow it with: ai config allow host {peer}\n"), blocked(&peer))
    );
    let log = log_of_last_run(&bed);
    assert_eq!((&log["blocked"][0]["peer"], &log["blocked"][0]["count"]), (&peer.clone().into(), &1.into()));
    let allow = format!("ai config allow host {peer}");
    assert!(bed.bare(Shell::Bash, &allow).outcome().err().contains("ai: let in: "));
    let refused = get();
    assert!(
        refused
            .err()
            .contains(&format!("ai: blocked 1 × {peer} (its address is not public); allow with: ai config allow host '{peer}!private'"))
    );
    let allow = refused.err().split_once("allow with: ").unwrap().1.to_owned();
    bed.bare(Shell::Zsh, &allow).succeeds();
    let allowed = get();
    assert_eq!((allowed.out().as_str(), allowed.err().as_str()), ("through\n", ""));
    assert_eq!(log_of_last_run(&bed)["allowed"][&peer], 1);
    // What is let out and not there is not blocked.
    drop(web);
    let gone = get().err();
    assert!(gone.contains(&format!("ai: could not reach 1 × {peer} (")) && !gone.contains("ai: blocked"), "{gone}");
    let check = bed.ai(["egress", "check", &peer, "evil.com"]).outcome();
    let (allowed, origin) = (format!("{peer}!private"), bed.store().join("config.toml"));
    assert_eq!(check.code, 1);
    assert!(check.out().contains("allowed: as configured") && check.out().contains(&format!("({}:", origin.display())), "{}", check.out());
    assert!(check.out().contains("blocked: on no list; ai config allow host evil.com"), "{}", check.out());
    assert!(bed.ai(["egress", "list", "exec"]).prints().contains(&format!("reach {allowed}")));
    bed.nothing_left();
}

/// A directory of what package managers and git ask for, served on loopback.
fn registry(sandbox: &Sandbox) -> Option<Web> {
    let version = r#"{"name": "made-up", "version": "1.2.3", "dist": {"tarball": "http://x/y", "shasum": "0"}}"#;
    sandbox
        .write("web/made-up", format!(r#"{{"name": "made-up", "dist-tags": {{"latest": "1.2.3"}}, "versions": {{"1.2.3": {version}}}}}"#));
    sandbox.write("web/simple/made-up/index.html", "<a href=\"made_up-1.2.3-py3-none-any.whl\">made_up-1.2.3-py3-none-any.whl</a>");
    let root = sandbox.root();
    let script = "import zipfile, sys\nz = zipfile.ZipFile(sys.argv[1], 'w')\nd = 'made_up-1.2.3.dist-info/'\n\
                  z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\\nName: made-up\\nVersion: 1.2.3\\n')\n\
                  z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
                  z.writestr(d + 'RECORD', '')\n";
    let wheel = root.join("web/simple/made-up/made_up-1.2.3-py3-none-any.whl");
    assert!(Command::new("python3").args(["-c", script]).arg(wheel).status().unwrap().success());
    let git = "git init -q --bare web/repo.git && git -C web/repo.git symbolic-ref HEAD refs/heads/main && \
               git init -q web/t && cd web/t && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && \
               git push -q ../repo.git HEAD:refs/heads/main && git -C ../repo.git update-server-info";
    sandbox.run("sh").args(["-c", git]).cwd(&root).prints();
    Web::serve(&root.join("web"))
}

// GU-01: each everyday program goes out where it may, and shows our words where it may not.
#[test]
fn everyday_programs_go_out_where_they_may() {
    let Some(mut bed) = guarded(Image::Tools) else { return };
    let Some(web) = registry(&bed) else { return };
    if !bed.as_user(1000) {
        return;
    }
    let base = format!("http://host.docker.internal:{}", web.port);
    let programs = [
        (format!("curl -sS -f {base}/simple/made-up/"), "made_up-1.2.3", "error: 403"),
        (format!("git ls-remote {base}/repo.git"), "refs/heads/main", "403"),
        (format!("git clone -q {base}/repo.git /tmp/clone && git -C /tmp/clone log --format=%s"), "x\n", "403"),
        (format!("npm view --registry {base}/ made-up version"), "1.2.3", "403 Blocked by ai: host.docker.internal"),
        (
            format!(
                "pip download --no-cache-dir --disable-pip-version-check --trusted-host host.docker.internal --index-url {base}/simple -d /tmp/pip made-up"
            ),
            "Successfully downloaded made-up",
            "No matching distribution",
        ),
        (
            format!("python3 -c \"import urllib.request; print(urllib.request.urlopen('{base}/simple/made-up/').read().decode())\""),
            "made_up-1.2.3",
            "403: Blocked by ai: host.docker.internal",
        ),
        (
            format!(
                "node -e \"fetch('{base}/simple/made-up/').then(async r => {{ console.log(r.statusText, await r.text()) }}, e => console.log(e.cause))\""
            ),
            "made_up-1.2.3",
            "Proxy response (403)",
        ),
    ];
    for (program, reached, refused) in &programs {
        let outcome = bed.ai(["exec", "--shell", program]).outcome();
        let said = format!("{}{}", outcome.out(), outcome.err());
        assert!(said.contains(refused) && !said.contains(reached), "{program}\n{said}");
        assert!(outcome.err().contains(&format!("× host.docker.internal:{}; allow with", web.port)), "{program}\n{said}");
    }
    bed.set("AI_ALLOW", format!("host.docker.internal:{}", web.port));
    for (program, reached, _) in &programs {
        let outcome = bed.ai(["exec", "--shell", program]).outcome();
        assert!(outcome.out().contains(reached), "{program}\n{}\n{}", outcome.out(), outcome.err());
        assert!(!outcome.err().contains("blocked"), "{program}\n{}", outcome.err());
    }
    bed.nothing_left();
}

// GU-01, I-01: the real programs answer, with nothing but the hosts of their makers on the list.
#[test]
fn every_tool_answers_through_the_guard() {
    let Some(mut bed) = guarded(Image::Tools) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    bed.set("AI_NETWORK", "guard");
    // Their makers' hosts are played behind a proxy of the person's.
    bed.set("HTTPS_PROXY", &mock.url);
    bed.unset("ANTHROPIC_BASE_URL");
    let authority = "/workspace/proj/.ca.pem";
    // What they report goes through the helper, too.
    let collector = Echo::serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    bed.set("AI_TELEMETRY", format!("http://localhost:{}", collector.port));
    let set = ["NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"].map(|name| format!("{name} = '{authority}'\n")).concat();
    bed.config(&format!("[env.set]\n{set}"));
    if !bed.as_user(1000) {
        return;
    }
    for (line, answer) in [
        ("claude -p 'are you there'", "mock-anthropic heard: are you there"),
        ("glm -p 'are you there'", "mock-anthropic heard: are you there"),
        ("gemini -p 'are you there'", "are you there"),
        ("codex exec --skip-git-repo-check 'are you there' </dev/null", "are you there"),
    ] {
        let outcome = bed.shell(Shell::Bash, line).outcome();
        assert!(outcome.code == 0 && outcome.out().contains(answer), "{line}\n{}\n{}", outcome.out(), outcome.err());
        assert!(!outcome.err().contains("was killed"), "{line}\n{}", outcome.err());
        let allowed = log_of_last_run(&bed)["allowed"].to_string();
        assert!(
            ["api.anthropic.com:443", "api.z.ai:443", "googleapis.com:443", "api.openai.com:443"].iter().any(|host| allowed.contains(host))
        );
    }
    // Each told the collector of itself, and none of what was typed.
    let heard = collector.heard();
    let tools = ["claude_code.api_request", "codex.api_request", "gemini_cli.api_request"];
    let silent: Vec<_> = tools.iter().filter(|event| !heard.contains(**event)).collect();
    assert!(silent.is_empty(), "{silent:?}");
    assert!(!heard.contains("are you there"));
    bed.nothing_left();
}

#[track_caller]
fn works(bed: Option<Bed>) {
    let Some(mut bed) = bed.and_then(on) else { return };
    bed.write("work/proj/page", "through\n");
    let Some(web) = Web::serve(bed.project()) else { return };
    let url = format!("http://host.docker.internal:{}/page", web.port);
    let get = |allow: &str| bed.ai(["exec", "--", "wget", "-q", "-O", "-", &url]).env("AI_ALLOW", allow).outcome();
    assert!(get("").err().contains("ai: blocked 1 × host.docker.internal"), "{}", get("").err());
    let allowed = get(&format!("host.docker.internal:{}", web.port));
    assert_eq!((allowed.code, allowed.out().as_str(), allowed.err().as_str()), (0, "through\n", ""));
    assert_eq!(bed.ai(["exec", "--shell", LOOK]).prints(), "lo\negress\nssh_config\nkept\n");
    // A key stays outside here as well.
    let Some(_mock) = Mock::vendors(&mut bed.sandbox) else { return };
    bed.set("AI_KEYS", "outside");
    bed.set("ANTHROPIC_API_KEY", REAL);
    let body = r#"{"model": "m", "messages": [{"role": "user", "content": "hello"}]}"#;
    let ask =
        format!("env; wget -q -Y off -O - --post-data '{body}' --header 'Content-Type: application/json' $ANTHROPIC_BASE_URL/v1/messages");
    let said = bed.ai(["run", "claude", "sh", "-c", &ask]).prints();
    assert!(said.contains("mock-anthropic heard: hello") && said.contains(SENTINEL) && !said.contains(REAL), "{said}");
    wait_for(|| helper(&bed).is_none());
    bed.nothing_left();
}

// GU-01: test 11 of the twelve.
#[test]
fn docker_without_root_is_guarded() {
    works(Bed::rootless("docker"));
}

#[test]
fn podman_without_root_is_guarded() {
    works(Bed::rootless("podman"));
}

#[test]
fn podman_is_guarded() {
    works(Bed::podman());
}

// GU-01: what the plan says of itself.
#[test]
fn each_rule_is_explained_with_its_origin() {
    let Some(bed) = guarded(Image::Busybox) else { return };
    bed.config("[egress]\nallow = ['npm', 'git.corp:8443!private']\ndeny = ['registry.yarnpkg.com']\n");
    let config = bed.store().join("config.toml");
    let text = bed.ai(["resolve", "--explain", "claude"]).prints();
    let row = |words: &str| {
        let line = text.lines().find(|line| line.starts_with(words)).unwrap_or_else(|| panic!("{words}: {text}"));
        line[words.len()..].trim().to_owned()
    };
    assert_eq!(row("reach api.anthropic.com "), "the set `model` (manifest of claude)");
    assert_eq!(row("reach registry.npmjs.org "), format!("the set `npm` ({}:2)", config.display()));
    assert_eq!(row("reach git.corp:8443!private "), format!("as configured ({}:2)", config.display()));
    assert_eq!(row("never reach registry.yarnpkg.com "), format!("as configured ({}:3)", config.display()));
    assert!(row("--network none ").ends_with("($AI_NETWORK)"));
    let vector = bed.plan(["claude"]);
    let session = vector.value("--name");
    let session = session.rsplit('-').next().unwrap();
    assert_eq!(&vector.0[1..4], ["guard", session, "--"]);
    assert!(!vector.variables().contains_key("ALL_PROXY"));
    let ours = |target: &str| vector.mounts().into_iter().find(|(_, at, _)| at == target).unwrap();
    assert!(ours("/ai/sock").2 && ours("/ai/ai").2);
    assert!(Path::new(&ours("/ai/sock").0).ends_with(format!("guard/{session}/sock")));
}
