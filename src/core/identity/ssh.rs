//! The user's SSH settings as a container can use them: parsed by keyword, never by searching for words.
//!
//! What names a program, socket or file of the host is taken out, with a comment in its place; a key that the agent
//! holds is named by its public half. Pure: the host reads the files, and this says which it wants.

use std::collections::BTreeMap;

/// What the host knows of the files that the settings name, by the name that stands there.
#[derive(Debug, Default)]
pub struct SshFiles {
    /// Texts of included files in their order.
    pub includes: BTreeMap<String, Vec<String>>,
    /// Where the public half of a key is in the container; a key without one is not there.
    pub keys: BTreeMap<String, String>,
}

/// A file that the settings name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SshFile {
    Include(String),
    Key(String),
}

/// What is of the host alone, beside keys. The first four are Apple's own or reach for its keychain.
const OF_THE_HOST: [&str; 15] = [
    "usekeychain",
    "addkeystoagent",
    "keychainintegration",
    "askpassgui",
    "identityagent",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "pkcs11provider",
    "securitykeyprovider",
    "xauthlocation",
    "userknownhostsfile",
    "globalknownhostsfile",
    "revokedhostkeys",
    "certificatefile",
];

/// As deep as ssh itself follows.
const DEEPEST: u8 = 16;

/// Returns the files that `text` names.
pub fn wanted(text: &str) -> Vec<SshFile> {
    let mut wanted = Vec::new();
    for line in text.lines().filter_map(parse) {
        match line.keyword.as_str() {
            "include" => wanted.extend(line.words.into_iter().map(SshFile::Include)),
            "identityfile" => wanted.extend(line.words.into_iter().take(1).map(SshFile::Key)),
            _ => {}
        }
    }
    wanted
}

/// Returns the settings for the container. `known_hosts` is where it keeps the keys of hosts.
pub fn rewrite(text: &str, files: &SshFiles, known_hosts: &str) -> String {
    let mut out = format!("# Made from your own settings; changes here do not last.\nUserKnownHostsFile {known_hosts}\n");
    let mut writer = SshWriter { out: &mut out, files, lost_a_key: false };
    writer.file(text, None, 0);
    if writer.lost_a_key {
        // Without the key's file, `IdentitiesOnly` would keep even the agent's keys away.
        out = out.lines().map(|line| without(line, "identitiesonly")).collect();
    }
    out
}

fn without(line: &str, keyword: &str) -> String {
    if parse(line).is_some_and(|parsed| parsed.keyword == keyword) { removed(line) } else { format!("{line}\n") }
}

fn removed(line: &str) -> String {
    format!("# not in a container: {}\n", line.trim())
}

struct SshWriter<'a> {
    out: &'a mut String,
    files: &'a SshFiles,
    lost_a_key: bool,
}

impl SshWriter<'_> {
    /// Writes one file. `outer` is the condition under which it is included; `None` where there is none.
    fn file(&mut self, text: &str, outer: Option<&str>, depth: u8) {
        let mut condition = outer.map(str::to_owned);
        for line in text.lines() {
            let line = line.trim_end_matches('\r');
            let Some(parsed) = parse(line) else {
                self.plain(line);
                continue;
            };
            match parsed.keyword.as_str() {
                "host" | "match" => {
                    let inner = criteria(&parsed);
                    let both = outer.map_or_else(|| inner.clone(), |outer| and(outer, &inner));
                    match outer {
                        None => self.plain(line),
                        Some(_) => self.plain(&format!("Match {both}")),
                    }
                    condition = Some(both);
                }
                "include" if depth < DEEPEST => self.include(&parsed.words, condition.as_deref(), depth),
                "identityfile" => self.key(line, &parsed),
                keyword if OF_THE_HOST.contains(&keyword) => self.out.push_str(&removed(line)),
                _ => self.plain(line),
            }
        }
    }

    fn plain(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// An included file stands under the condition that it was included under, and does not change what follows it.
    fn include(&mut self, names: &[String], condition: Option<&str>, depth: u8) {
        let files = self.files;
        for text in names.iter().filter_map(|name| files.includes.get(name)).flatten() {
            self.file(text, condition, depth + 1);
            self.plain(&format!("Match {}", condition.unwrap_or("all")));
        }
    }

    fn key(&mut self, line: &str, parsed: &SshSetting) {
        match parsed.words.first().and_then(|name| self.files.keys.get(name)) {
            Some(public) => self.plain(&format!("IdentityFile {public}")),
            None => {
                self.lost_a_key = true;
                self.out.push_str(&removed(line));
            }
        }
    }
}

/// Returns a condition as the criteria of a `Match` line. `Host` looks at the name as it was typed.
fn criteria(line: &SshSetting) -> String {
    match line.keyword.as_str() {
        "host" => format!("originalhost \"{}\"", line.words.join(",")),
        _ => line.rest.clone(),
    }
}

/// Both conditions. `all` may stand only by itself.
fn and(outer: &str, inner: &str) -> String {
    match (outer.eq_ignore_ascii_case("all"), inner.eq_ignore_ascii_case("all")) {
        (true, _) => inner.to_owned(),
        (_, true) => outer.to_owned(),
        _ => format!("{outer} {inner}"),
    }
}

/// One setting.
struct SshSetting {
    /// In lower case.
    keyword: String,
    /// Everything behind the keyword, as it stands.
    rest: String,
    /// The same, as words without quotes.
    words: Vec<String>,
}

/// `Keyword value`, `Keyword=value`, `"Keyword" "value with spaces"`; nothing for blank lines and comments.
fn parse(line: &str) -> Option<SshSetting> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (keyword, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_at(line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len())),
    };
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    Some(SshSetting { keyword: keyword.to_ascii_lowercase(), rest: rest.to_owned(), words: words(rest) })
}

/// Words separated by blanks; double quotes keep blanks; an unquoted `#` begins a comment.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for character in text.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '#' if !quoted && word.is_none() => break,
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, files: &SshFiles, expected: &str) {
        let rewritten = rewrite(text, files, "K");
        let body: Vec<&str> = rewritten.lines().skip(2).collect();
        assert_eq!(body.join("\n"), expected);
    }

    fn files(includes: &[(&str, &str)], keys: &[(&str, &str)]) -> SshFiles {
        SshFiles {
            includes: includes.iter().map(|(name, text)| ((*name).into(), vec![(*text).into()])).collect(),
            keys: keys.iter().map(|(name, public)| ((*name).into(), (*public).into())).collect(),
        }
    }

    // H-05
    #[test]
    fn options_of_the_host_go_and_nothing_else() {
        let none = SshFiles::default();
        check("# UseKeychain yes\nIgnoreUnknown UseKeychain", &none, "# UseKeychain yes\nIgnoreUnknown UseKeychain");
        check(
            "  UseKeychain yes\r\n\"AddKeysToAgent\"=yes\r",
            &none,
            "# not in a container: UseKeychain yes\n# not in a container: \"AddKeysToAgent\"=yes",
        );
        check("usekeychain=no", &none, "# not in a container: usekeychain=no");
        check("Host UseKeychain\n  User addkeystoagent", &none, "Host UseKeychain\n  User addkeystoagent");
        check("Match host x exec \"true\"\r\n\tUser me", &none, "Match host x exec \"true\"\n\tUser me");
    }

    #[test]
    fn a_key_is_named_by_its_public_half_or_not_at_all() {
        let known = files(&[], &[("~/.ssh/id a", "/p/a.pub")]);
        check("IdentityFile \"~/.ssh/id a\"\nIdentitiesOnly yes", &known, "IdentityFile /p/a.pub\nIdentitiesOnly yes");
        let lost = "# not in a container: IdentityFile ~/x\n# not in a container: IdentitiesOnly yes";
        check("IdentityFile ~/x\nIdentitiesOnly yes", &known, lost);
    }

    #[test]
    fn includes_stand_under_the_condition_of_their_place() {
        let included = files(&[("a", "User u\nHost b\nPort 1")], &[]);
        check("Include a\nUser v", &included, "User u\nHost b\nPort 1\nMatch all\nUser v");
        let inside = "Host x y\nUser u\nMatch originalhost \"x,y\" originalhost \"b\"\nPort 1\nMatch originalhost \"x,y\"\nUser v";
        check("Host x y\nInclude a\nUser v", &included, inside);
        check("Match all\nInclude a", &included, "Match all\nUser u\nMatch originalhost \"b\"\nPort 1\nMatch all");
        check("Include missing", &included, "");
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let text = rewrite("Include a", &files(&[("a", "Include a")], &[]), "K");
        assert!(text.lines().count() < 64, "{text}");
    }

    #[test]
    fn files_are_asked_for_by_name() {
        let text = "Include a \"b c\" # d\nHost *\n  IdentityFile=~/.ssh/id\n";
        let expected = [SshFile::Include("a".into()), SshFile::Include("b c".into()), SshFile::Key("~/.ssh/id".into())];
        assert_eq!(wanted(text), expected);
    }
}
