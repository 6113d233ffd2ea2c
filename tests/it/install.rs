//! `ai install` and `ai uninstall`: rc files as people have them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, tree};
use crate::setups::link_program;
use crate::shells::Shell;

/// The file that each shell reads, below the home.
pub fn rc(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => ".zshrc",
        Shell::Bash => ".bashrc",
        Shell::Fish => ".config/fish/config.fish",
    }
}

#[track_caller]
pub fn install(sandbox: &Sandbox, args: &[&str]) -> String {
    let outcome = sandbox.ai(["install"].iter().chain(args)).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, ""), "{}", outcome.err());
    outcome.err()
}

pub fn uninstall(sandbox: &Sandbox, args: &[&str]) {
    let outcome = sandbox.ai(["uninstall"].iter().chain(args)).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
}

/// The home without the store.
pub fn home(sandbox: &Sandbox) -> Vec<(PathBuf, (u32, Vec<u8>))> {
    let is_file = |path: &Path| !path.is_dir() && !path.starts_with(sandbox.store());
    tree(&sandbox.home()).into_iter().filter(|(path, _)| is_file(path)).collect()
}

// R-T04, R-T06: from a home in which nothing is to the first vector, as the README says it.
#[test]
fn what_is_installed_works_and_goes_without_a_trace() {
    for shell in Shell::all() {
        for content in [None, Some("echo mine >/dev/null\n"), Some("echo mine >/dev/null"), Some("")] {
            let sandbox = Sandbox::new();
            if let Some(content) = content {
                sandbox.write(Path::new("home").join(rc(shell)), content);
            }
            let before = home(&sandbox);
            install(&sandbox, &[shell.name()]);
            let once = home(&sandbox);
            assert_ne!(before, once, "{shell:?}");
            assert!(install(&sandbox, &[shell.name()]).contains("is as it should be"));
            assert_eq!(once, home(&sandbox), "{shell:?}: twice is once");

            let interactive = sandbox.run(shell.name()).args(["-i", "-c", "type claude; ai resolve claude"]).outcome();
            assert!(interactive.out().contains("function") && interactive.out().contains("docker run "), "{shell:?}: {interactive:?}");

            uninstall(&sandbox, &[shell.name()]);
            let shells_own = |path: &Path| ["fish_variables", "fish_history", ".bash_history"].iter().any(|name| path.ends_with(name));
            let after: Vec<_> = home(&sandbox).into_iter().filter(|(path, _)| !shells_own(path)).collect();
            assert_eq!(before, after, "{shell:?} {content:?}");
        }
    }
}

#[test]
fn the_file_is_kept_as_it_was_beside_the_store() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.zshrc", "first\n");
    install(&sandbox, &["zsh"]);
    let backups = sandbox.store().join("backups/rc");
    assert_eq!(fs::read(backups.join("zshrc.1")).unwrap(), b"first\n");
    uninstall(&sandbox, &["zsh"]);
    sandbox.write("home/.zshrc", "second\n");
    install(&sandbox, &["zsh"]);
    assert_eq!(fs::read(backups.join("zshrc.3")).unwrap(), b"second\n");
    assert_eq!(fs::metadata(backups.join("zshrc.1")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn half_a_block_is_named_and_nothing_changes() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.profile", "mine\n");
    install(&sandbox, &["bash"]);
    let text = fs::read_to_string(sandbox.home().join(".bashrc")).unwrap().replace("# <<< ai <<<\n", "");
    sandbox.write("home/.bashrc", format!("mine\n{text}"));
    let before = home(&sandbox);
    for word in ["install", "uninstall"] {
        let outcome = sandbox.ai([word, "bash"]).outcome();
        outcome.refused(1, &[".bashrc`: the block of ai in line 2 has no end", "hint: remove line 2"]);
        assert_eq!(before, home(&sandbox), "{word}");
    }
}

#[test]
fn the_shell_is_the_one_that_is_used() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.ai(["install"]).env("SHELL", "/usr/local/bin/zsh").outcome();
    assert_eq!(outcome.code, 0);
    assert!(sandbox.home().join(".zshrc").exists());
    sandbox.ai(["install"]).env("SHELL", "/bin/tcsh").outcome().refused(2, &["none of zsh, bash and fish", "hint: ai install zsh"]);
    sandbox.ai(["install"]).unset("SHELL").outcome().refused(2, &["hint: "]);
}

#[test]
fn zsh_may_keep_its_files_elsewhere() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.home().join("config/zsh");
    let outcome = sandbox.ai(["install", "zsh"]).env("ZDOTDIR", &elsewhere).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(elsewhere.join(".zshrc").exists() && !sandbox.home().join(".zshrc").exists());
}

// R-T05
#[test]
fn a_linked_file_stays_a_link_with_its_mode() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("home/dotfiles/zshrc", "mine\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("dotfiles/zshrc", sandbox.home().join(".zshrc")).unwrap();
    install(&sandbox, &["zsh"]);
    assert_eq!(fs::read_link(sandbox.home().join(".zshrc")).unwrap(), Path::new("dotfiles/zshrc"));
    assert!(fs::read_to_string(&file).unwrap().starts_with("mine\n# >>> ai >>>"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

// R-T05
#[test]
fn a_file_that_somebody_else_manages_is_left_alone() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("home/.zshrc", "managed\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    // What is added by hand has no program without its container either.
    let hint = "hint: add this line where that file comes from: ";
    let refused = sandbox.ai(["install", "zsh"]).outcome();
    refused.refused(77, &["cannot change `", ".zshrc`: it is read-only", hint, "for __ai_text in claude "]);
    let line = refused.err().lines().find_map(|line| line.strip_prefix(hint).map(str::to_owned)).unwrap();
    let said = sandbox.run("zsh").args(["-f", "-i", "-c", &format!("{}; claude", line.replace("/bin/ai ", "/bin/gone "))]).outcome();
    assert!(said.code == 127 && said.err().contains("cannot run claude in its container"), "{said:?}");
    assert_eq!(fs::read(&file).unwrap(), b"managed\n");

    symlink("/nowhere/zshrc", sandbox.home().join(".bashrc")).unwrap();
    sandbox.ai(["install", "bash"]).outcome().refused(77, &["it is a link to `/nowhere/zshrc`, which is not there", "hint: "]);
}

#[test]
fn a_login_bash_is_served_too() {
    let sandbox = Sandbox::new();
    install(&sandbox, &["bash"]);
    let login = sandbox.run("bash").args(["-l", "-i", "-c", "type -t claude"]).outcome();
    assert_eq!(login.out(), "function\n", "{}", login.err());
    uninstall(&sandbox, &["bash"]);
    assert!(!sandbox.home().join(".profile").exists());

    let sandbox = Sandbox::new();
    sandbox.write("home/.bashrc", "");
    sandbox.write("home/.profile", "export MINE=1");
    install(&sandbox, &["bash"]);
    let login = sandbox.run("bash").args(["-l", "-i", "-c", "type -t claude; echo $MINE"]).outcome();
    assert_eq!(login.out(), "function\n1\n", "{}", login.err());
    // Other shells read that file as well.
    assert_eq!(sandbox.run("sh").args(["-c", ". \"$HOME/.profile\"; echo $MINE"]).prints(), "1\n");
    uninstall(&sandbox, &["bash"]);
    assert_eq!(fs::read(sandbox.home().join(".profile")).unwrap(), b"export MINE=1");

    sandbox.write("home/.profile", "[ -f ~/.bashrc ] && . ~/.bashrc\n");
    install(&sandbox, &["bash"]);
    assert_eq!(fs::read(sandbox.home().join(".profile")).unwrap(), b"[ -f ~/.bashrc ] && . ~/.bashrc\n", "it leads to .bashrc");
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.zshrc", "mine\n");
    let before = tree(&sandbox.home());
    let shown = sandbox.ai(["install", "zsh", "--dry-run"]).prints();
    assert!(shown.contains(" mine\n+# >>> ai >>>\n+functions[__ai_block]=") && shown.contains("+# <<< ai <<<\n"), "{shown}");
    assert_eq!(before, tree(&sandbox.home()));
}

#[test]
fn the_old_script_is_named_and_not_touched_unasked() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.zshrc", "a\nsource ~/src/ai-assistant.zsh\n");
    let said = install(&sandbox, &["zsh"]);
    assert!(said.contains(".zshrc:2 still loads the old script"), "{said}");
    assert!(fs::read_to_string(sandbox.home().join(".zshrc")).unwrap().starts_with("a\nsource ~/src/ai-assistant.zsh\n#"));
}

#[test]
fn asked_on_a_terminal_the_old_script_is_turned_off() {
    let sandbox = Sandbox::new();
    let rc = sandbox.write("home/.zshrc", "a\nsource ~/src/ai-assistant.zsh\n");
    let mut terminal = crate::terminal::on_terminal(sandbox.ai(["install", "zsh"]));
    terminal.exp_string("Turn it off? [Y/n]").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_eof().unwrap();
    let text = fs::read_to_string(&rc).unwrap();
    assert!(text.starts_with("a\n# turned off by ai install: source ~/src/ai-assistant.zsh\n#"), "{text}");
    uninstall(&sandbox, &["zsh"]);
    assert_eq!(fs::read_to_string(&rc).unwrap(), "a\nsource ~/src/ai-assistant.zsh\n");
}

#[test]
fn links_named_like_the_tools_run_them() {
    let sandbox = Sandbox::new();
    let shims = sandbox.home().join("shims");
    let theirs = sandbox.write("home/shims/codex", "theirs");
    let directory = shims.to_str().unwrap();
    let outcome = sandbox.ai(["install", "--shims", "shims"]).cwd(sandbox.home()).outcome();
    assert!(outcome.err().contains(&format!("put {directory} first on the PATH")), "{}", outcome.err());
    let said = install(&sandbox, &["--shims", directory]);
    assert!(said.contains("codex` is something else and stays"), "{said}");
    symlink(crate::sandbox::AI, shims.join("ai")).unwrap();
    // A link, as it was made before.
    fs::remove_file(shims.join("gemini")).unwrap();
    symlink(crate::sandbox::AI, shims.join("gemini")).unwrap();

    let outcome = sandbox.run("env").args([shims.join("claude").as_os_str(), "hello".as_ref()]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello");
    // The host's own tool is not us.
    sandbox.script("home/host/claude", "#!/bin/sh\necho the host\n");
    let path = format!("{directory}:{}", sandbox.home().join("host").display());
    let outcome = sandbox.run(shims.join("claude")).args(["--native"]).env("PATH", &path).outcome();
    assert_eq!(outcome.out(), "the host\n", "{}", outcome.err());

    uninstall(&sandbox, &["--shims", directory]);
    let mut left: Vec<_> = fs::read_dir(&shims).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ai", "codex"]);
    assert_eq!(fs::read(theirs).unwrap(), b"theirs");
}

// SH-01: along PATH, a link to a program that is gone would be passed over.
#[test]
fn what_is_named_like_a_tool_never_runs_the_hosts_own() {
    let sandbox = Sandbox::new();
    let program = sandbox.home().join("ai");
    link_program(&program);
    let shims = sandbox.home().join("shims");
    sandbox.run(&program).args(["install".as_ref(), "--shims".as_ref(), shims.as_os_str()]).outcome().succeeds();
    sandbox.script("home/host/claude", "#!/bin/sh\necho the host\n");
    fs::remove_file(&program).unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", shims.display(), sandbox.home().join("host").display());
    for words in [&["env", "claude"][..], &["sh", "-c", "claude"], &["zsh", "-f", "-c", "claude"]] {
        let outcome = sandbox.run(words[0]).args(&words[1..]).env("PATH", &path).outcome();
        assert!(outcome.code != 0 && outcome.out().is_empty(), "{words:?}: {} {}", outcome.code, outcome.out());
        assert!(outcome.err().contains("ai: cannot run claude in its container: "), "{words:?}: {}", outcome.err());
    }
}

#[test]
fn without_a_directory_they_are_in_the_store() {
    let sandbox = Sandbox::new();
    install(&sandbox, &["--shims"]);
    assert!(sandbox.store().join("shims/claude").is_file());
    uninstall(&sandbox, &["--shims"]);
    assert_eq!(fs::read_dir(sandbox.store().join("shims")).unwrap().count(), 0);
}

// SH-02: a file with two names, a block that somebody put into a condition, lines that nobody can tell from a person's own.
#[test]
fn what_people_did_with_the_file_and_the_block_stays() {
    use std::os::unix::fs::MetadataExt;
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let file = sandbox.write(Path::new("home").join(rc(shell)), "true\n");
        let other = sandbox.home().join("other-name");
        fs::hard_link(&file, &other).unwrap();
        install(&sandbox, &[shell.name()]);
        assert_eq!(fs::metadata(&file).unwrap().ino(), fs::metadata(&other).unwrap().ino(), "{shell:?}");
        let block = fs::read_to_string(&file).unwrap().replace("true\n", "");
        let (open, end) = (shell.text("if true; then\n", "if true\n"), shell.text("fi\n", "end\n"));
        let inside: String = block.lines().map(|line| format!("    {line}\n")).collect();
        fs::write(&file, format!("{open}{inside}{end}")).unwrap();
        install(&sandbox, &[shell.name()]);
        assert_eq!(fs::read_to_string(&file).unwrap().matches(">>> ai >>>").count(), 1, "{shell:?}");
        uninstall(&sandbox, &[shell.name()]);
        let left = fs::read_to_string(&file).unwrap();
        assert!(!left.contains("ai"), "{shell:?}: {left}");
        fs::write(&file, block.replace("# >>> ai >>>", "# mine")).unwrap();
        let said = sandbox.ai(["uninstall", shell.name()]).outcome();
        assert!(said.err().contains("still loads ai; hint: remove that line"), "{shell:?}: {said:?}");
    }
}
