//! The words of a shell line: which of them start something, and whether they can be known before it runs.

mod expansion;

use std::collections::BTreeMap;

use self::expansion::RawWord;

/// What a word is to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordRole {
    /// It starts something.
    Command,
    Argument,
    /// A file that is written or read by a redirection.
    Target,
}

/// A word without its quotes. The person's home is `~` in it, the project `.`; what only the run knows stands as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub role: WordRole,
    pub is_known: bool,
}

impl Word {
    /// Returns a word that is what it says.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), role: WordRole::Argument, is_known: true }
    }
}

/// Words after which another one starts something.
const BEFORE_COMMANDS: [&str; 19] = [
    "if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "exec", "command", "builtin", "eval", "nohup", "env", "sudo",
    "coproc", "nice",
];
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "dash", "ksh", "ash"];

/// Returns the words of a line and of every line inside it: `$(…)`, backticks, `sh -c`. `variables` are set beforehand.
pub fn words(line: &str, variables: &BTreeMap<String, String>) -> Vec<Word> {
    let known = variables.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    let mut reader = LineReader { chars: line.chars().collect(), at: 0, known, words: Vec::new(), functions: Vec::new(), deep: 0 };
    reader.line();
    let LineReader { words, functions, .. } = reader;
    words.into_iter().filter(|word| word.role != WordRole::Command || !functions.contains(&word.text)).collect()
}

/// Returns the words of a program that is started without a shell, and those of a line that it is given as `sh -c`. In such words a
/// tool puts variables in the place of `${NAME}`.
pub fn started(program: &str, arguments: &[String], variables: &BTreeMap<String, String>) -> Vec<Word> {
    let given = |text: &str| variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    let program = given(program);
    let is_shell = SHELLS.contains(&program.rsplit('/').next().unwrap_or_default());
    let mut found = vec![Word { text: program, role: WordRole::Command, is_known: true }];
    for (at, argument) in arguments.iter().enumerate() {
        let is_line = is_shell && at.checked_sub(1).is_some_and(|before| arguments[before] == "-c");
        if is_line {
            found.extend(words(argument, variables));
        } else {
            found.push(Word::plain(given(argument)));
        }
    }
    found
}

/// Returns the names of the variables in a text in which a tool puts their values: `${NAME}`, and `$NAME`. One with a value to fall back
/// on is none.
pub fn variables(text: &str) -> Vec<&str> {
    let name = |rest: &str| rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let parts = text.split('$').skip(1);
    let found = parts.filter_map(|part| match part.strip_prefix('{') {
        Some(inner) => inner.split_once('}').map(|(inner, _)| inner),
        None => Some(&part[..name(part)]),
    });
    found.filter(|found| is_name(found)).collect()
}

struct LineReader {
    chars: Vec<char>,
    at: usize,
    /// Variables with their values, where these are known.
    known: BTreeMap<String, Option<String>>,
    words: Vec<Word>,
    functions: Vec<String>,
    deep: usize,
}

/// What comes next of a `case`.
#[derive(PartialEq, Eq)]
enum CasePart {
    Patterns,
    Commands,
}

/// Where a reader is in a line.
struct LinePosition {
    role: WordRole,
    /// The command whose arguments follow.
    command: String,
    /// What comes next of each `case` that is open.
    cases: Vec<CasePart>,
    /// The end of a here-document that begins with the next line.
    document: Option<String>,
    before: String,
}

impl LineReader {
    fn line(&mut self) {
        let mut place =
            LinePosition { role: WordRole::Command, command: String::new(), cases: Vec::new(), document: None, before: String::new() };
        while let Some(&next) = self.chars.get(self.at) {
            match next {
                ' ' | '\t' | '\r' => self.at += 1,
                '#' => self.skip_until('\n'),
                '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => self.sign(&mut place),
                _ => {
                    let piece = self.piece();
                    self.word(piece, &mut place);
                }
            }
        }
    }

    fn skip_until(&mut self, end: char) {
        while self.chars.get(self.at).is_some_and(|next| *next != end) {
            self.at += 1;
        }
    }

    fn sign(&mut self, place: &mut LinePosition) {
        let sign = self.chars[self.at];
        let next = self.chars.get(self.at + 1).copied();
        self.at += 1;
        match sign {
            '<' | '>' => self.redirection(place),
            '&' if next == Some('>') => {}
            '(' if next == Some(')') => {
                self.functions.extend(self.words.pop().filter(|word| word.role == WordRole::Command).map(|word| word.text));
                self.at += 1;
                place.role = WordRole::Command;
            }
            ')' if place.cases.last() == Some(&CasePart::Patterns) => {
                place.cases.pop();
                place.cases.push(CasePart::Commands);
                place.role = WordRole::Command;
            }
            ';' if next == Some(';') && !place.cases.is_empty() => {
                self.at += 1;
                place.cases.pop();
                place.cases.push(CasePart::Patterns);
            }
            '\n' => {
                place.role = WordRole::Command;
                if let Some(end) = place.document.take() {
                    self.skip_document(&end);
                }
            }
            _ => place.role = WordRole::Command,
        }
    }

    fn redirection(&mut self, place: &mut LinePosition) {
        let start = self.at - 1;
        // The number of a descriptor stands right before the sign.
        if start.checked_sub(1).is_some_and(|before| self.chars[before].is_ascii_digit()) {
            self.words.pop_if(|word| word.text.bytes().all(|byte| byte.is_ascii_digit()));
        }
        while self.chars.get(self.at).is_some_and(|next| matches!(next, '<' | '>' | '&' | '|' | '-')) {
            self.at += 1;
        }
        let sign: String = self.chars[start..self.at].iter().collect();
        // `<(…)` is a line of its own.
        if self.chars.get(self.at) == Some(&'(') {
            return;
        }
        while self.chars.get(self.at).is_some_and(|next| matches!(next, ' ' | '\t')) {
            self.at += 1;
        }
        let target = self.piece();
        if matches!(sign.as_str(), "<<" | "<<-") {
            place.document = Some(target.text);
        } else {
            self.words.push(Word { text: target.text, role: WordRole::Target, is_known: !target.is_unknown });
        }
    }

    fn skip_document(&mut self, end: &str) {
        while self.at < self.chars.len() {
            let start = self.at;
            self.skip_until('\n');
            let line: String = self.chars[start..self.at].iter().collect();
            self.at += 1;
            if line.trim() == end {
                return;
            }
        }
    }

    fn word(&mut self, piece: RawWord, place: &mut LinePosition) {
        let RawWord { text, is_unknown, is_quoted } = piece;
        if text == "esac" && !is_quoted && !place.cases.is_empty() {
            place.cases.pop();
            return;
        }
        if place.cases.last() == Some(&CasePart::Patterns) {
            return;
        }
        let before = std::mem::replace(&mut place.before, text.clone());
        if place.role == WordRole::Argument {
            let is_line = before == "-c" && SHELLS.contains(&place.command.rsplit('/').next().unwrap_or_default());
            if text == "in" && place.command == "case" {
                place.cases.push(CasePart::Patterns);
            } else if is_line && self.deep < 4 {
                self.inner(&text);
            }
            self.words.push(Word { text, role: WordRole::Argument, is_known: !is_unknown });
            return;
        }
        let name = text.split_once('=').filter(|(name, _)| is_name(name));
        if let Some((name, value)) = name {
            self.known.insert(name.to_owned(), Some(value.to_owned()).filter(|_| !is_unknown));
        } else if !is_quoted && BEFORE_COMMANDS.contains(&text.as_str()) || text.starts_with('-') {
            // The next word starts something.
        } else if before == "eval" && text.contains(' ') {
            self.inner(&text);
        } else {
            place.command.clone_from(&text);
            place.role = WordRole::Argument;
            self.words.push(Word { text, role: WordRole::Command, is_known: !is_unknown });
        }
    }

    /// Reads a line that stands in this one.
    fn inner(&mut self, line: &str) {
        let chars = std::mem::replace(&mut self.chars, line.chars().collect());
        let at = std::mem::replace(&mut self.at, 0);
        self.deep += 1;
        self.line();
        self.deep -= 1;
        (self.chars, self.at) = (chars, at);
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line: commands as they are, arguments in brackets, targets behind `>`, and `?` before what is not known.
    #[track_caller]
    fn check(line: &str, expected: &str) {
        let variables = BTreeMap::from([("HOOKS".to_owned(), "/home/u/hooks".to_owned())]);
        let shown = |word: &Word| {
            let mark = if word.is_known { "" } else { "?" };
            match word.role {
                WordRole::Command => format!("{mark}{}", word.text),
                WordRole::Argument => format!("[{mark}{}]", word.text),
                WordRole::Target => format!(">{mark}{}", word.text),
            }
        };
        assert_eq!(words(line, &variables).iter().map(shown).collect::<Vec<_>>().join(" "), expected, "{line}");
    }

    #[test]
    fn every_command_of_a_line_counts() {
        check("guard.sh --strict", "guard.sh [--strict]");
        check("A=1 B='x y' guard", "guard");
        check("jq . | ~/bin/guard&&echo ok;x", "jq [.] ~/bin/guard echo [ok] x");
        check("if ! ~/bin/guard \"$1\"; then exit 2; fi", "~/bin/guard [?$1] exit [2] fi");
        check("(cd /x; { ~/bin/guard; })", "cd [/x] ~/bin/guard }");
        check("bash -c 'cd /x && exec ~/bin/guard' z", "bash [-c] cd [/x] ~/bin/guard [cd /x && exec ~/bin/guard] [z]");
        check("python3 -c 'import os; os.system(1)'", "python3 [-c] [import os; os.system(1)]");
        check("env -i A=1 guard", "guard");
        check("out=$(cat | ~/bin/guard) && echo \"$out\"", "cat ~/bin/guard echo [?$out]");
        check("x=`~/bin/guard`; eval \"~/a b\"", "~/bin/guard ~/a [b]");
        check("cat 2>/dev/null >> \"$LOG/x\" < in", "cat >/dev/null >?$LOG/x >in");
        check("cat <<E | ~/bin/guard\n$(not this) | nor\nE\nlast", "cat ~/bin/guard last");
        check("f() { ~/g; }; f", "~/g }");
        check("case $1 in a|b) ~/g;; *) ~/h ;; esac; z", "case [?$1] [in] ~/g ~/h z");
        check("echo hi # ~/bin/none", "echo [hi]");
        check("", "");
    }

    #[test]
    fn what_a_word_means_is_followed_as_far_as_it_can_be_known() {
        check("\"$HOME\"/a ${HOME}/b $HOOKS/c", "~/a [~/b] [/home/u/hooks/c]");
        check("D=$HOME/hooks; \"$D/guard\" x", "~/hooks/guard [x]");
        check("D=$(dirname $0); $D/guard", "dirname [?$0] ?$D/guard");
        check("${X}/g", "?${X}/g");
        check("\"$(git rev-parse --show-toplevel)/guard\"", "./guard");
        check("$(git rev-parse --show-toplevel 2>/dev/null)/guard", "./guard");
        check("\"$CLAUDE_PROJECT_DIR\"/.claude/g ${CLAUDE_PROJECT_DIR:-.}/h", "./.claude/g [./h]");
        check("\"$(brew --prefix)/bin/guard\"", "brew [--prefix] ?$(brew --prefix)/bin/guard");
        check("'$HOME/x' \\$Y", "$HOME/x [$Y]");
        check("${HOOKS:-/x}/g", "?${HOOKS:-/x}/g");
    }

    #[test]
    fn a_program_without_a_shell_has_its_words_as_they_are() {
        let variables = BTreeMap::from([("ROOT".to_owned(), "/home/u/plug in".to_owned())]);
        let check = |program: &str, arguments: &[&str], expected: &[(&str, WordRole)]| {
            let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
            let found = started(program, &arguments, &variables);
            assert_eq!(found.iter().map(|word| (word.text.as_str(), word.role)).collect::<Vec<_>>(), expected, "{program} {arguments:?}");
        };
        let (command, argument) = (WordRole::Command, WordRole::Argument);
        check("/home/u/my hooks/g", &[], &[("/home/u/my hooks/g", command)]);
        check("node", &["${ROOT}/g.js", "a b"], &[("node", command), ("/home/u/plug in/g.js", argument), ("a b", argument)]);
        check(
            "/bin/sh",
            &["-c", "cd /x && ~/g"],
            &[("/bin/sh", command), ("-c", argument), ("cd", command), ("/x", argument), ("~/g", command)],
        );
        check("python3", &["-c", "import os; x"], &[("python3", command), ("-c", argument), ("import os; x", argument)]);
    }

    #[test]
    fn broken_lines_end() {
        for line in ["$(", "${", "`", "'", "\"", "\\", "<<", "a <<E", "case x in", "((((", "$", "$(($((", ">", "f(", "x=", "<("] {
            words(line, &BTreeMap::new());
        }
    }
}
