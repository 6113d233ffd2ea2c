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
