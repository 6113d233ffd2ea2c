//! Secrets that are files, or not needed; keys in the person's own files; and shell lines that become configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bed::{Bed, Image};
use crate::sandbox::Sandbox;

/// Made up, and of the shape of a key.
fn key() -> String {
    ["ghp_", "k7Rt2Qm9Zx4Lc8Vb1Nw6Hj3Ps5Gd0Fy2Ta9E"].concat()
}

// P6, NE-01
#[test]
fn a_secret_that_is_not_needed_is_missed_with_a_line() {
    let sandbox = Sandbox::new();
    sandbox.config("[secret.NPM_TOKEN]\nenv = ['MY_TOKEN']\n");
    sandbox.ai(["resolve", "claude"]).outcome().refused(78, &["no value for NPM_TOKEN"]);
    sandbox.config("[secret.NPM_TOKEN]\nenv = ['MY_TOKEN']\noptional = true\n");
    let outcome = sandbox.ai(["resolve", "--explain", "claude"]).outcome();
    assert!(outcome.code == 0 && !outcome.out().contains("NPM_TOKEN"), "{}", outcome.out());
    assert!(outcome.err().contains("NPM_TOKEN (") && outcome.err().contains("config.toml:1) has no value; this run goes on without it"));
    let text = sandbox.ai(["resolve", "--explain", "claude"]).env("MY_TOKEN", "hush").prints();
    let row = text.lines().find(|line| line.contains("-e NPM_TOKEN")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.ends_with("config.toml:1)") && !text.contains("hush"), "{row}");
    // One whose command fails, and one that is empty, are as missing as one that is nowhere.
    let rule = "command = ['false']\noptional = true\n";
    sandbox.config(&format!("[secret.A]\n{rule}[secret.B]\n{rule}deliver = 'file'\n[secret.C]\ncommand = ['true']\noptional = true\n"));
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    for said in ["cannot get A: `false` failed; this run goes on without it", "cannot get B: ", "cannot get C: it is empty; this run"] {
        assert!(outcome.err().contains(said), "{said}: {}", outcome.err());
    }
}

// P6: it becomes a variable or a file of its name, so a name that is a path writes nothing anywhere.
#[test]
fn a_secret_that_could_be_none_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.docker-ai-config/secrets/t", "hush\n");
    let tool = |rule: &str| sandbox.manifest("mine", &format!("profile_of = 'claude'\n{rule}"));
    let beside = format!("ai-it-beside-{}", std::process::id());
    let path = format!("[secret.'../{beside}']\nfile = 'secrets/t'\ndeliver = 'file'\n");
    for (rule, said) in [
        (path.as_str(), "no name of a variable"),
        ("[secret.'a b']\ncommand = ['true']\n", "no name of a variable"),
        ("[secret.TOKEN]\noptional = false\n", "nothing says where it is"),
    ] {
        tool("about = 'x'\n");
        sandbox.config(rule);
        sandbox.ai(["run", "claude"]).outcome().refused(78, &[said, "config.toml:1", "hint: [secret.NAME]"]);
        sandbox.config("");
        tool(rule);
        sandbox.ai(["run", "mine"]).outcome().refused(78, &[said, "mine"]);
    }
    assert!(!Path::new("/dev/shm").join(beside).exists());
    let long = "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' a\n";
    sandbox.program("long", long);
    sandbox.config("[secret.TOKEN]\ncommand = ['long']\n");
    sandbox.ai(["run", "claude"]).outcome().refused(78, &["longer than a variable can be", "deliver = \"file\""]);
    sandbox.config("[secret.TOKEN]\ncommand = ['false']\n");
    sandbox.ai(["run", "claude"]).outcome().refused(78, &["`false` failed\n"]);
}

// P6, P2: what `docker inspect` would show holds the path of a file in memory, which is gone after the run.
#[test]
fn a_secret_is_delivered_as_a_file_in_memory() {
    let sandbox = Sandbox::new();
    sandbox.config("[secret.TOKEN]\nfile = 'secrets/t'\ndeliver = 'file'\n[env]\npass = ['TOKEN']\n");
    sandbox.write("home/.docker-ai-config/secrets/t", "hush\n");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/fake-docker");
    let script = "#!/bin/sh\n[ \"$1\" = run ] || exec FAKE \"$@\"\nprintf '%s\\n' \"$@\" >\"$HOME/argv\"; env >\"$HOME/env\"\n\
        from=$(sed -n 's/^type=bind,source=\\(.*\\),target=.ai.secrets,readonly$/\\1/p' \"$HOME/argv\")\n\
        printf %s \"$from\" >\"$HOME/from\"; cat \"$from/TOKEN\" >\"$HOME/got\"; stat -c %a \"$from\" \"$from/TOKEN\" >\"$HOME/modes\"\n";
    sandbox.program("docker", &script.replace("FAKE", fake));
    let read = |name: &str| fs::read_to_string(sandbox.home().join(name)).unwrap_or_default();
    let begun = sandbox.ai(["sync", "in", "--", "claude"]).prints();
    let ways: [(&str, &[&str]); 2] = [("one process", &["run", "claude"]), ("three", &["resolve", "--session", begun.trim(), "claude"])];
    for (way, args) in ways {
        let outcome = sandbox.ai(args).outcome();
        assert_eq!(outcome.code, 0, "{way}: {}", outcome.err());
        if way == "three" {
            assert_eq!(sandbox.run("sh").args(["-c", &outcome.out()]).outcome().code, 0);
            assert_eq!(sandbox.ai(["sync", "out", begun.trim()]).outcome().code, 0);
        }
        assert_eq!((read("got").as_str(), read("modes").as_str()), ("hush", "700\n600\n"), "{way}");
        let (argv, env) = (read("argv"), read("env"));
        assert!(argv.contains("TOKEN_FILE=/ai/secrets/TOKEN\n") && !argv.contains("\nTOKEN\n") && !argv.contains("hush"), "{argv}");
        assert!(!env.contains("hush"), "{way}");
        assert!(read("from").starts_with("/dev/shm/ai-secrets-") && !fs::exists(read("from")).unwrap(), "{way}: {}", read("from"));
        for name in ["got", "argv", "from"] {
            fs::remove_file(sandbox.home().join(name)).unwrap();
        }
    }
    // P2: nobody would remove what a vector that belongs to no session writes.
    let vector = sandbox.ai(["resolve", "--session", begun.trim(), "claude"]).prints();
    sandbox.run("sh").args(["-c", &vector]).outcome().refused(125, &["no session was begun that would remove them", "ai run"]);
    let left = Path::new("/dev/shm").join(format!("ai-secrets-{}", begun.trim()));
    assert!(vector.contains(left.to_str().unwrap()) && !left.exists() && !sandbox.home().join("argv").exists(), "{vector}");
}

// P6: on an engine, as anybody.
#[test]
fn the_file_can_be_read_inside() {
    let Some(mut bed) = Bed::new(Image::Busybox).filter(|_| rustix::process::getuid().is_root()) else { return };
    if !bed.as_user(1000) {
        return;
    }
    bed.config("[secret.TOKEN]\nfile = 'secrets/t'\ndeliver = 'file'\n");
    bed.write("home/.docker-ai-config/secrets/t", "made up\n");
    let script = "cat $TOKEN_FILE; echo \" ${TOKEN-unset}\"; echo x 2>/dev/null >$TOKEN_FILE || echo kept";
    let outcome = bed.ai(["exec", "--", "sh", "-c", script]).outcome();
    assert_eq!((outcome.out().as_str(), outcome.code), ("made up unset\nkept\n", 0), "{}", outcome.err());
    bed.nothing_left();
}

// O-06
#[test]
fn settings_that_are_broken_are_named_with_their_place_before_the_run() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/settings.json", "{\n  // mine\n  \"a\": 1,,\n}\n");
    let said = sandbox.ai(["run", "claude"]).outcome().err();
    assert!(said.contains("`.claude/settings.json` (host): it is broken at line 3, column 10") && said.contains("hint: mend it"), "{said}");
}

// NE-07, P6
#[test]
fn doctor_names_open_keys_and_what_is_let_in() {
    let sandbox = Sandbox::new();
    sandbox.write("home/notes/a", "a");
    sandbox.config(&format!("mounts = ['~/notes']\n# was: {}\n[env]\npass = ['CI']\nset = {{ A = 'value' }}\n", key()));
    sandbox.manifest("mine", &format!("profile_of = 'claude'\n[env.set]\nX = '{}'\n", key()));
    let found = sandbox.ai(["doctor"]).outcome().out();
    assert!(found.contains("config.toml:2 holds what looks like a key (GitHub token)") && found.contains("mine.toml:3 holds"), "{found}");
    assert!(!found.contains(&key()[4..]), "{found}");
    for row in ["| mount ~/notes (", "| variable CI (", "| variable A ("] {
        assert!(found.contains(row), "{row}: {found}");
    }
    assert!(!found.contains("value)"), "{found}");
}

// O-04
#[test]
fn shell_lines_are_imported_as_data() {
    let sandbox = Sandbox::new();
    sandbox.config("# mine\nenv = { set = { KEPT = 'own' } }\n");
    let file =
        sandbox.write("home/env", format!("# old\nexport CI=\"a b\"\nexport KEPT=other\nexport GH=\"{}\"\nMY_PASSWORD='p$w'\n", key()));
    let file = file.to_str().unwrap();
    let outcome = sandbox.ai(["config", "import", file]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(outcome.err().contains("variables: CI; secrets, each in a file of its own: GH, MY_PASSWORD"), "{}", outcome.err());
    assert!(outcome.err().contains("left as they were in your configuration: KEPT") && !outcome.err().contains(&key()));
    let config = fs::read_to_string(sandbox.store().join("config.toml")).unwrap();
    assert!(
        config.starts_with("# mine\n") && config.contains("KEPT = 'own'") && !config.contains(&key()) && !config.contains("p$w"),
        "{config}"
    );
    let secret = sandbox.store().join("secrets/my_password");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "p$w");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let text = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    assert!(text.contains("-e 'CI=a b'") && text.contains("-e MY_PASSWORD ") && text.contains("-e GH "), "{text}");
    assert!(sandbox.ai(["config", "import", file]).outcome().err().contains("all of it is there already"));
    let bad = sandbox.write("home/bad", "A=1\nexport B=$(cat /etc/passwd)\nsource x\n");
    let outcome = sandbox.ai(["config", "import", bad.to_str().unwrap()]).outcome();
    assert!(
        outcome.err().contains("line 2: a command would have to be run") && outcome.err().contains("line 3: it sets no variable"),
        "{}",
        outcome.err()
    );
    outcome.refused(78, &["nothing was imported"]);
    assert_eq!(fs::read_to_string(sandbox.store().join("config.toml")).unwrap(), config);
    sandbox.ai(["config", "import", "nowhere"]).outcome().refused(78, &["it is not there"]);
    // O-07: and a new beginning keeps what was there.
    assert_eq!(sandbox.ai(["config", "init", "--yes"]).outcome().code, 0);
    assert_eq!(sandbox.ai(["config", "rollback"]).outcome().code, 0);
    assert_eq!(fs::read_to_string(sandbox.store().join("config.toml")).unwrap(), config);
}

// NE-07, O-05: under the lock, none is lost, and each is in the log.
#[test]
fn changes_at_once_are_all_there_or_are_told_to_come_again() {
    let sandbox = Sandbox::new();
    sandbox.config("");
    let names: Vec<String> = (0..8).map(|number| format!("NAME_{number}")).collect();
    let begun: Vec<_> = names.iter().map(|name| (name, sandbox.ai(["config", "allow", "env", name]).spawn())).collect();
    let ended = begun.into_iter().map(|(name, child)| (name, crate::process::finish(child).code));
    let (done, busy): (Vec<_>, Vec<_>) = ended.partition(|(_, code)| *code == 0);
    assert!(busy.iter().all(|(_, code)| *code == 75) && !done.is_empty(), "{busy:?}");
    let config = fs::read_to_string(sandbox.store().join("config.toml")).unwrap();
    for name in &names {
        assert_eq!(config.contains(name.as_str()), done.iter().any(|(done, _)| *done == name), "{name}: {config}");
    }
    let log = fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"event\":\"config\"")).count(), done.len(), "{log}");
}
