//! Logins of shapes that no code knows: they are told as they are, kept, given back, taken over and removed.

use std::fs;

use crate::sandbox::Sandbox;

// TO-03
#[test]
fn a_login_of_any_shape_is_told_as_it_is() {
    let cases = [
        ("keys", "auth.json", "auth.json", "{}", r#"{"groq":{"type":"api","key":"made-up"}}"#),
        ("dotenv", ".env", ".env", "# mine\nKEY=\n", "KEY=made-up\n"),
        ("glob", "of-*.json", "of-somebody.json", "{}", r#"{"access_token":"made-up"}"#),
    ];
    for (tool, named, file, blank, login) in cases {
        let sandbox = Sandbox::new();
        let state = format!(
            "[state]\nhome = {{ at = '/home/ai/.x' }}\nlogin = {{ at = '/ai/shared/login', files = ['{named}'], host = '.{tool}' }}\n"
        );
        sandbox.manifest(tool, &format!("about = 'x'\ncommand = ['claude']\nlogin = ['claude']\n{state}"));
        let at = sandbox.store().join("global_state").join(tool).join("shared/login").join(file);
        let says = |words: &[&str], part: &str| {
            let outcome = sandbox.ai(words).outcome();
            let said = format!("{}{}", outcome.out(), outcome.err());
            assert!(outcome.code == 0 && said.contains(part), "{tool} {words:?} {}: {said}", outcome.code);
        };
        let runs_quietly = || {
            let outcome = sandbox.ai(["run", tool, "x"]).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{tool}");
        };
        says(&["creds", "status", tool], "not logged in");
        says(&["logout", tool], "is not logged in");

        sandbox.write(&at, blank);
        runs_quietly();
        says(&["creds", "status", tool], "not logged in");
        assert!(!sandbox.store().join("global_state").join(tool).join("backups").exists(), "{tool}");

        sandbox.write(&at, login);
        runs_quietly();
        says(&["creds", "status", tool], "good, ");
        sandbox.write(&at, blank);
        says(&["creds", "restore", tool, "--last-good"], "restored the login");
        assert_eq!(fs::read_to_string(&at).unwrap(), login);

        says(&["logout", tool], "logged out of");
        assert!(!at.exists(), "{tool}");
        says(&["creds", "status", tool], "not logged in");

        // What its own login leaves is found, by whatever name the tool gives it.
        let names = if named.contains('*') { &[file, "of-them.json"][..] } else { &[file] };
        for name in names {
            let leaves = format!("printf %s '{login}' >'{}'", at.with_file_name(name).display());
            let outcome = sandbox.ai(["login", tool]).env("FAKE_ENGINE_DO", leaves).outcome();
            assert!(outcome.code == 0 && outcome.err().contains("logged in to"), "{tool}: {}", outcome.err());
        }
        says(&["logout", tool], "logged out of");

        let on_host = sandbox.write(format!("home/.{tool}/{file}"), blank);
        let import = ["creds", "import", tool, "--from", on_host.to_str().unwrap()];
        assert_ne!(sandbox.ai(import).outcome().code, 0, "{tool}");
        if !named.contains('*') {
            fs::write(&on_host, login).unwrap();
            says(&import, "is now the store's own");
            assert_eq!(fs::read_to_string(&at).unwrap(), login);
        }
    }
}

// TO-03: a program that keeps its tokens among its settings; the one that waits for a person's own hand is as any other.
#[test]
fn a_login_among_settings_goes_to_all_projects_and_nothing_beside_it_does() {
    let sandbox = Sandbox::new();
    let rule = "[[sync]]\npath = 'config.json'\nclass = 'keys'\nreads = ['comments']\nkeys = ['tokens', 'users', 'tip']\n";
    let state = format!("[state]\nhome = {{ at = '/home/ai/.x' }}\n{rule}login_keys = ['tokens', 'users']\n");
    sandbox.manifest("mine", &format!("about = 'x'\ncommand = ['claude']\nlogin = ['claude']\n{state}"));
    let tool = sandbox.store().join("global_state/mine");
    let (left, hub) = (tool.join("shared/login/config.json"), tool.join("hub/config.json"));
    let logs_in = |left_there: &str| {
        let does = format!("test ! -e '{0}' && printf %s '{left_there}' >'{0}'", left.display());
        sandbox.ai(["login", "mine"]).env("FAKE_ENGINE_DO", does).outcome()
    };
    let home = || {
        let projects = fs::read_dir(tool.join("projects")).unwrap().map(|entry| entry.unwrap().path());
        projects.map(|project| project.join("home/config.json")).find(|file| file.exists()).map(|file| fs::read_to_string(file).unwrap())
    };
    // What a run wrote before is none of a login, and what it says of one reaches nobody.
    let runs = |does: &str| {
        let outcome = sandbox.ai(["run", "mine", "x"]).env("FAKE_ENGINE_DO", does).outcome();
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    };
    runs("");
    let of_project = fs::read_dir(tool.join("projects")).unwrap().next().unwrap().unwrap().path().join("home/config.json");
    runs(&format!(r#"printf %s '{{"tokens":{{"evil":"t"}},"trusted":["/"]}}' >'{}'"#, of_project.display()));
    assert!(!hub.exists());
    fs::remove_file(&of_project).unwrap();

    // A token that was not kept is no login, whatever stands beside it.
    let outcome = logs_in(r#"{"users":["me"]}"#);
    assert!(outcome.code == 1 && outcome.err().contains("it left no credentials"), "{}", outcome.err());
    assert!(!left.exists() && !hub.exists());
    let outcome = logs_in("// ours\n{\"tokens\":{\"a\":\"t1\"},\"users\":[\"me\"],\"trusted\":[\"/\"]}");
    assert!(outcome.code == 0 && outcome.err().contains("logged in to mine"), "{}", outcome.err());
    assert!(!left.exists());
    let shared = fs::read_to_string(&hub).unwrap();
    assert!(shared.contains("t1") && shared.contains("me") && !shared.contains("trusted"), "{shared}");
    runs("");
    assert!(home().unwrap().contains("t1"));
    // What a project makes of it stays there.
    runs(&format!("printf %s '{{\"tokens\":{{\"a\":\"t2\"}}}}' >'{}'", of_project.display()));
    assert!(fs::read_to_string(&hub).unwrap().contains("t1"));

    runs(&format!("printf %s '{{\"tokens\":{{\"a\":\"t1\"}},\"tip\":1}}' >'{}'", of_project.display()));
    let outcome = sandbox.ai(["logout", "mine"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("logged out of mine"), "{}", outcome.err());
    runs("");
    let (shared, own) = (fs::read_to_string(&hub).unwrap(), home().unwrap());
    assert!(!shared.contains("t1") && !own.contains("t1") && own.contains("tip"), "{shared} {own}");
    assert!(sandbox.ai(["logout", "mine"]).outcome().err().contains("mine is not logged in"));

    // One that was made inside one project is nobody else's, and goes with the others, before any other run.
    runs(&format!("printf %s '{{\"tokens\":{{\"a\":\"t3\"}},\"trusted\":[\"/\"]}}' >'{}'", of_project.display()));
    assert!(!fs::read_to_string(&hub).unwrap().contains("t3"));
    let outcome = sandbox.ai(["logout", "mine"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("logged out of mine, in every project"), "{}", outcome.err());
    let own = home().unwrap();
    assert!(!own.contains("t3") && own.contains("trusted"), "{own}");
    assert!(sandbox.ai(["logout", "mine"]).outcome().err().contains("mine is not logged in"));
    sandbox.ai(["creds", "status", "mine"]).outcome().refused(2, &["hint: its program keeps it among its settings: ai login mine"]);
}
