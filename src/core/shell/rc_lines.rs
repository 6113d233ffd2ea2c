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
    /// The directory of the user's manifests, each of which makes one more such word.
    pub manifests: &'a str,
}

impl Loading<'_> {
    /// Returns the lines, first the one that loads. What the program prints is read only if it is the integration, to its end: a trap of
    /// the person's may print before it, another program something else.
    pub fn lines(&self) -> Vec<String> {
        let (program, args) = (self.program(), self.args);
        match self.shell {
            // Aliases of `;`, `&&` and `)` are possible there, so nothing but words is read before they are off.
            Shell::Zsh => vec![
                "functions[__ai_block]=$'\\\\builtin \\\\emulate \\\\-L \\\\zsh \\\\-o \\\\noaliases\\n\\\\builtin \\\\eval \"$1\"'"
                    .to_owned(),
                format!(
                    "'__ai_block' {}",
                    Shell::Zsh.quote(&format!(
                        "\\builtin unset __ai_bin __ai_text; [[ -x {program} ]] && __ai_text=\"$({program} init zsh{args})\" \
                         && [[ \"${{__ai_text##*: ai is}}\" == \" whole\" ]] && \\builtin eval \"${{__ai_text#*: ai init zsh}}\"; \
                         if [[ -z \"${{__ai_bin-}}\" ]]; then {}; fi; \\builtin unset __ai_text; \\builtin unfunction __ai_block",
                        self.fallback()
                    ))
                ),
            ],
            Shell::Bash => vec![
                format!(
                    "\\builtin unset -v __ai_bin __ai_text; \\builtin test -x {program} && __ai_text=\"$({program} init bash{args})\" \
                     && \\builtin test \"${{__ai_text##*: ai is}}\" = ' whole' && \\builtin eval \"${{__ai_text#*: ai init bash}}\""
                ),
                format!(
                    "\\builtin test \"${{__ai_bin-}}\" || \\builtin eval ${}",
                    Shell::Fish.quote(&self.fallback()).replace('\n', "\\n")
                ),
            ],
            Shell::Fish => vec![
                format!(
                    "set --erase __ai_bin; status is-interactive; and test -x {program}; and set --local __ai_text ({program} init fish{args} | \
                     string collect); and string match --quiet '*: ai is whole' -- \"$__ai_text\"; and printf '%s\\n' $__ai_text | source"
                ),
                format!("status is-interactive; and not set --query __ai_bin; and begin; {}; end", self.fallback()),
            ],
        }
    }

    /// Returns what makes the words say why they run nothing: at the time when one is typed, since what is wrong may change.
    fn fallback(&self) -> String {
        let (program, names, prefix) = (self.program(), self.names().join(" "), self.prefix());
        let exe = if is_plain(self.exe) { self.exe } else { "its program" };
        let says =
            |name: &str, why: &str| format!("ai: cannot run {name} in its container: {exe} {why}, or without a container: command {name}");
        let (gone, closed) = ("is not here; hint: install ai", format!("may not be executed; hint: chmod +x {exe}"));
        let silent = format!("is here, but loads nothing; hint: see what this says: {exe} --version");
        let manifests = self.word(self.manifests);
        // Whoever chose some wants no others.
        let all = !self.args.contains("--only");
        match self.shell {
            Shell::Zsh => {
                let files = if all { format!(" {manifests}/*.toml(N:t:r)") } else { String::new() };
                let names: String = self.bare_names().iter().map(|name| format!(" {name}")).collect();
                format!(
                    "function __ai_off {{ \\builtin set -- \"$1\" \"{silent}\"; [[ -x {program} ]] || \\builtin set -- \"$1\" \"{closed}\"; \
                     [[ -e {program} ]] || \\builtin set -- \"$1\" \"{gone}\"; \\builtin print -ru2 -- \"{}\"; \\builtin return 127; }}; \
                     for __ai_text in{names}{files}; do \\builtin unalias -- \"{prefix}$__ai_text\" 2>/dev/null; \
                     functions[{prefix}$__ai_text]=\"__ai_off {prefix}$__ai_text\"; done",
                    says("$1", "$2")
                )
            }
            Shell::Bash => {
                let files = if all { format!(" {manifests}/*.toml") } else { String::new() };
                format!(
                    "__ai_aliases=\"\" __ai_glob=\"\"; \\builtin shopt -q expand_aliases && __ai_aliases=on; \
                     \\builtin shopt -q failglob && __ai_glob=on; \\builtin shopt -u expand_aliases failglob\n\
                     function __ai_off {{ \\builtin set -- \"$1\" \"{silent}\"; [[ -x {program} ]] || \\builtin set -- \"$1\" \"{closed}\"; \
                     [[ -e {program} ]] || \\builtin set -- \"$1\" \"{gone}\"; \\builtin printf \"%s\\\\n\" \"{}\" >&2; \\builtin return 127; }}\n\
                     for __ai_text in {}{files}; do __ai_text=\"${{__ai_text##*/}}\"; __ai_text=\"{prefix}${{__ai_text%.toml}}\"; \
                     case \"$__ai_text\" in *[!A-Za-z0-9_-]*) \\builtin continue ;; esac; \\builtin unalias \"$__ai_text\" 2>/dev/null; \
                     [[ ! -o posix || \"$__ai_text\" != *-* ]] && \\builtin eval \"function $__ai_text {{ __ai_off $__ai_text; }}\" 2>/dev/null \
                     || \\builtin alias \"$__ai_text=__ai_off $__ai_text\"; done; \\builtin unset -v __ai_text\n\
                     if [[ -n \"$__ai_aliases\" ]]; then \\builtin shopt -s expand_aliases; fi; \
                     if [[ -n \"$__ai_glob\" ]]; then \\builtin shopt -s failglob; fi; \\builtin unset -v __ai_aliases __ai_glob",
                    says("$1", "$2"),
                    self.bare_names().join(" ")
                )
            }
            Shell::Fish => {
                let files =
                    if all { format!("set --local __ai_files {manifests}/*.toml; ") } else { "set --local __ai_files; ".to_owned() };
                let says = |why: &str| format!("echo \"{}\" >&2", says("$__ai_name", why));
                format!(
                    "{files}for __ai_name in {names} {prefix}(string replace --regex '^.*/(.*)\\.toml$' '$1' -- $__ai_files); \
                     function $__ai_name --inherit-variable __ai_name; if not test -e {program}; {}; else if not test -x {program}; {}; else; {}; end; \
                     return 127; end; end",
                    says(gone),
                    says(&closed),
                    says(&silent)
                )
            }
        }
    }

    /// Returns the line for a shell that is already there.
    pub fn typed(&self) -> String {
        typed(self.shell, &self.program(), self.args)
    }

    /// Returns the lines for a file that other shells and scripts read too.
    pub fn guarded(&self) -> Vec<String> {
        let guard = |line: String| format!("if [ -n \"${{BASH_VERSION-}}\" ]; then case $- in *i*) {line} ;; esac; fi");
        self.lines().into_iter().map(guard).collect()
    }

    /// Returns the program as a word of the shell.
    fn program(&self) -> String {
        self.word(self.exe)
    }

    /// Returns a path as a word of the shell: below the home by `$HOME`, since files of one home are used on several machines.
    fn word(&self, path: &str) -> String {
        let below = self.home.and_then(|home| Path::new(path).strip_prefix(home).ok()).and_then(Path::to_str);
        match below.filter(|path| is_plain(path)) {
            Some(path) => format!("\"$HOME/{path}\""),
            None => self.shell.quote(path),
        }
    }

    fn words(&self) -> Vec<&str> {
        self.args.split([' ', '=', '\'', '"']).filter(|word| !word.is_empty()).collect()
    }

    /// Returns the word behind an option.
    fn after(&self, option: &str) -> Option<&str> {
        let words = self.words();
        words.iter().position(|word| *word == option).and_then(|at| words.get(at + 1)).copied()
    }

    fn prefix(&self) -> &str {
        self.after("--prefix").unwrap_or_default()
    }

    /// Returns the tools that `--only` leaves.
    fn bare_names(&self) -> Vec<&str> {
        let only: Option<Vec<&str>> = self.after("--only").map(|names| names.split(',').collect());
        let wanted = self.tools.iter().map(String::as_str).filter(|name| only.as_ref().is_none_or(|only| only.contains(name)));
        wanted.collect()
    }

    /// Returns the tools' words as `--only` and `--prefix` make them.
    fn names(&self) -> Vec<String> {
        self.bare_names().iter().map(|name| format!("{}{name}", self.prefix())).collect()
    }
}

/// Returns the command that loads what this program, a word of the shell, prints with these arguments behind `init SHELL`.
pub fn typed(shell: Shell, program: &str, args: &str) -> String {
    match shell {
        Shell::Zsh | Shell::Bash => format!("eval \"$({program} init {shell}{args})\""),
        Shell::Fish => format!("{program} init fish{args} | source"),
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
        let loading = Loading {
            shell,
            exe: "/home/me/bin/ai",
            home: Some(Path::new("/home/me")),
            args,
            tools: &tools,
            manifests: "/home/me/store/tools",
        };
        let lines = loading.lines();
        for part in expected {
            assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
        }
        assert_eq!(lines.iter().find_map(|line| super::args(line, shell)).as_deref(), Some(args), "{lines:#?}");
    }

    #[test]
    fn the_program_is_named_below_the_home() {
        check(Shell::Zsh, "", &["\"$(\"$HOME/bin/ai\" init zsh)\"", "for __ai_text in claude glm \"$HOME/store/tools\"/*.toml(N"]);
        check(Shell::Bash, "", &["\"$(\"$HOME/bin/ai\" init bash)\"", "for __ai_text in claude glm \"$HOME/store/tools\"/*.toml;"]);
        check(Shell::Fish, "", &["\"$HOME/bin/ai\" init fish | string", "in claude glm ("]);
    }

    #[test]
    fn only_the_words_that_a_person_chose_are_stood_in_for() {
        check(Shell::Zsh, " --only claude --prefix x_", &["in claude; do", "functions[x_$__ai_text]="]);
        check(Shell::Fish, " --only=glm", &["in glm ("]);
        check(Shell::Bash, " --prefix x_", &["in claude glm \"", "=\"x_${__ai_text%.toml}\""]);
    }
}
