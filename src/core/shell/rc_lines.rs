//! The lines of the block in an rc file. They are read as a person's own lines are, with all aliases of the person, so words are
//! quoted where the shell would expand them. Where the program is missing or broken, the tools' words say so, and nothing else runs.
//! Whether it was loaded is what `__ai_bin` says, which a parent may have exported, so it is unset first.

use std::path::Path;

use crate::core::shell::Shell;

/// What the lines name.
#[derive(Debug)]
pub struct Loading<'a> {
    pub shell: Shell,
    pub exe: &'a str,
    pub home: Option<&'a Path>,
    /// The text behind `init SHELL`, as a person wrote it: empty, or with a blank at its front.
    pub args: &'a str,
    /// The words that must never run a tool without its container.
    pub tools: &'a [String],
}

impl Loading<'_> {
    /// Returns the lines, first the one that loads.
    pub fn lines(&self) -> Vec<String> {
        let (program, args, names) = (self.program(), self.args, self.names());
        let all = names.join(" ");
        match self.shell {
            Shell::Zsh => {
                let quoted = names.iter().map(|name| format!(" '{name}'")).collect::<String>();
                let body = |name| format!("\"builtin\" \"print\" \"-ru2\" \"--\" \"{}\"; \"builtin\" \"return\" \"127\"", self.says(name));
                let functions =
                    names.iter().map(|name| format!(" functions[{name}]={}", Shell::Zsh.quote(&body(name)))).collect::<String>();
                vec![
                    format!(
                        "'builtin' 'unset' '__ai_bin'; 'builtin' 'test' '-x' {program} && 'builtin' 'eval' \"$({program} 'init' 'zsh'{args})\""
                    ),
                    format!("'builtin' 'test' \"${{__ai_bin-}}\" || 'builtin' 'unalias' '--'{quoted} 2>/dev/null || 'builtin' 'true'"),
                    format!("'builtin' 'test' \"${{__ai_bin-}}\" ||{functions}"),
                ]
            }
            Shell::Bash => {
                let body =
                    |name| format!("function {name} {{ \\builtin printf \"%s\\n\" \"{}\" >&2; \\builtin return 127; }}; ", self.says(name));
                let functions = names.iter().map(|name| body(name)).collect::<String>();
                vec![
                    format!("\\builtin unset -v __ai_bin; \\builtin test -x {program} && \\builtin eval \"$({program} init bash{args})\""),
                    format!("\\builtin test \"${{__ai_bin-}}\" || \\builtin unalias {all} 2>/dev/null || \\builtin true"),
                    format!("\\builtin test \"${{__ai_bin-}}\" || \\builtin eval {}", Shell::Bash.quote(functions.trim_end())),
                ]
            }
            Shell::Fish => {
                let says = self.says("$__ai_name");
                let function = format!("function $__ai_name --inherit-variable __ai_name; echo \"{says}\" >&2; return 127; end");
                vec![
                    format!("set --erase __ai_bin; status is-interactive; and test -x {program}; and {program} init fish{args} | source"),
                    format!("status is-interactive; and not set --query __ai_bin; and for __ai_name in {all}; {function}; end"),
                ]
            }
        }
    }

    /// Returns the line for a shell that is already there.
    pub fn typed(&self) -> String {
        let (program, shell, args) = (self.program(), self.shell, self.args);
        match shell {
            Shell::Zsh | Shell::Bash => format!("eval \"$({program} init {shell}{args})\""),
            Shell::Fish => format!("{program} init fish{args} | source"),
        }
    }

    /// Returns the lines for a file that other shells and scripts read too.
    pub fn guarded(&self) -> Vec<String> {
        let guard = |line: String| format!("if [ -n \"${{BASH_VERSION-}}\" ]; then case $- in *i*) {line} ;; esac; fi");
        self.lines().into_iter().map(guard).collect()
    }

    /// Returns the program as a word of the shell: below the home by `$HOME`, since files of one home are used on several machines.
    fn program(&self) -> String {
        let below = self.home.and_then(|home| Path::new(self.exe).strip_prefix(home).ok()).and_then(Path::to_str);
        match below.filter(|path| is_plain(path)) {
            Some(path) => format!("\"$HOME/{path}\""),
            None => self.shell.quote(self.exe),
        }
    }

    fn says(&self, name: &str) -> String {
        let exe = if is_plain(self.exe) { self.exe } else { "its program" };
        format!("ai: cannot run {name} in its container: {exe} is not here; hint: install ai, or without a container: command {name}")
    }

    /// Returns the tools' words as `--only` and `--prefix` make them.
    fn names(&self) -> Vec<String> {
        let words: Vec<&str> = self.args.split([' ', '=', '\'', '"']).filter(|word| !word.is_empty()).collect();
        let after = |option: &str| words.iter().position(|word| *word == option).and_then(|at| words.get(at + 1)).copied();
        let only: Option<Vec<&str>> = after("--only").map(|names| names.split(',').collect());
        let wanted = self.tools.iter().filter(|name| only.as_ref().is_none_or(|only| only.contains(&name.as_str())));
        wanted.map(|name| format!("{}{name}", after("--prefix").unwrap_or_default())).collect()
    }
}

/// Whether the text means the same inside double quotes of every shell.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@: ".contains(&byte))
}

/// Returns the arguments behind `init SHELL` in a line that loads.
pub fn args(line: &str, shell: Shell) -> Option<String> {
    let calls = [format!("'init' '{shell}'"), format!(" init {shell}")];
    let (_, rest) = calls.iter().find_map(|call| line.split_once(call.as_str()))?;
    let end = rest.find([')', '|', ';', '\n']).unwrap_or(rest.len());
    let args = rest[..end].trim_end();
    Some(args.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shell: Shell, args: &str, expected: &[&str]) {
        let tools = ["claude".to_owned(), "glm".to_owned()];
        let loading = Loading { shell, exe: "/home/me/bin/ai", home: Some(Path::new("/home/me")), args, tools: &tools };
        let lines = loading.lines();
        for part in expected {
            assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
        }
        assert_eq!(super::args(&lines[0], shell).as_deref(), Some(args), "{lines:#?}");
    }

    #[test]
    fn the_program_is_named_below_the_home() {
        check(Shell::Zsh, "", &["\"$(\"$HOME/bin/ai\" 'init' 'zsh')\"", "functions[claude]='"]);
        check(Shell::Bash, "", &["\"$(\"$HOME/bin/ai\" init bash)\"", "function glm {"]);
        check(Shell::Fish, "", &["\"$HOME/bin/ai\" init fish | source", "in claude glm;"]);
    }

    #[test]
    fn only_the_words_that_a_person_chose_are_stood_in_for() {
        check(Shell::Zsh, " --only claude --prefix x_", &["'--' 'x_claude' 2>"]);
        check(Shell::Fish, " --only=glm", &["in glm;"]);
        check(Shell::Bash, " --prefix x_", &["unalias x_claude x_glm 2>"]);
    }
}
