//! Lines of a shell that set variables, read as data: `export NAME="value"`. Nothing of them is run, and what would have to be is
//! refused by its line.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::core::admit::variable;
use crate::core::commit::secrets::{KeyScanner, is_secret_name};

/// A variable that a line sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedVariable {
    pub name: String,
    pub value: String,
    pub line: usize,
}

/// Reads a file of such lines.
///
/// # Errors
/// Returns a sentence for each line that is none.
pub fn read(text: &str) -> Result<Vec<ImportedVariable>, Vec<String>> {
    let (mut found, mut refused): (Vec<ImportedVariable>, Vec<String>) = (Vec::new(), Vec::new());
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match assignment(line) {
            Ok((name, value)) => {
                found.retain(|known| known.name != name);
                found.push(ImportedVariable { name, value, line: number });
            }
            Err(why) => refused.push(format!("line {number}: {why}")),
        }
    }
    if refused.is_empty() { Ok(found) } else { Err(refused) }
}

/// Reads `export NAME=value`, with a comment behind it or not.
fn assignment(line: &str) -> Result<(String, String), String> {
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(line, str::trim_start);
    let (name, rest) = line.split_once('=').ok_or("it sets no variable")?;
    if let Some(why) = variable::refusal(name) {
        return Err(if name.contains(char::is_whitespace) { "it sets no variable".into() } else { why });
    }
    if variable::is_of_host(name) {
        return Err(format!("`{name}` speaks of this machine alone"));
    }
    let value = word(rest)?;
    variable::refusal_of_value(name, value.as_bytes()).map_or(Ok((name.to_owned(), value)), Err)
}

/// Reads one word as a shell would, where nothing of it has to be run or looked up.
fn word(text: &str) -> Result<String, String> {
    let (mut value, mut quote) = (String::new(), None);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => value.push(c),
            (_, '`') => return Err("a command would have to be run (`…`)".into()),
            (_, '$') if rest.peek() == Some(&'(') => return Err("a command would have to be run ($(…))".into()),
            (_, '$') if rest.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '{' | '_' | '*' | '@' | '?' | '\'' | '"')) => {
                return Err("another variable would have to be looked up ($…)".into());
            }
            (Some(_), '\\') => match rest.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                None => return Err("it goes on in the next line".into()),
            },
            (None, '\\') => value.push(rest.next().ok_or("it goes on in the next line")?),
            // A shell puts a home there at the begin, and behind each colon.
            (None, '~') if value.is_empty() || value.ends_with(':') => return Err("a home would have to be looked up (~)".into()),
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                let behind: String = rest.collect();
                let behind = behind.trim_start();
                return if behind.is_empty() || behind.starts_with('#') {
                    Ok(value)
                } else {
                    Err("something stands behind its value".into())
                };
            }
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')') => return Err(format!("`{c}` means something to a shell; quote it")),
            (_, c) => value.push(c),
        }
    }
    if quote.is_some() { Err("its quote does not end in this line".into()) } else { Ok(value) }
}

/// Returns whether a value is better kept where nobody sees it: it looks like a key, or its name says so.
pub fn is_secret(scanner: &KeyScanner, variable: &ImportedVariable) -> bool {
    let is_named = is_secret_name(&variable.name) && !variable.value.is_empty();
    is_named || scanner.secrets(variable.value.as_bytes()).into_iter().next().is_some()
}

/// Returns the text of a configuration with these literals and secrets, and the names that it had already, which stay as they are.
///
/// # Errors
/// Where the text is no TOML, or a key holds something that takes no entries.
pub fn add(text: &str, literals: &[&ImportedVariable], secrets: &[&ImportedVariable]) -> Result<(String, Vec<String>), String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let mut kept = Vec::new();
    if !literals.is_empty() {
        let env = document.entry("env").or_insert_with(|| Item::Value(Value::InlineTable(InlineTable::new())));
        let env = env.as_table_like_mut().ok_or("`env` is no table")?;
        let set = env.entry("set").or_insert_with(|| Item::Value(Value::InlineTable(InlineTable::new())));
        let set = set.as_table_like_mut().ok_or("`env.set` is no table")?;
        for variable in literals {
            put(set, &variable.name, value(variable.value.as_str()), &mut kept);
        }
    }
    if !secrets.is_empty() {
        let mut implicit = Table::new();
        implicit.set_implicit(true);
        let all = document.entry("secret").or_insert(Item::Table(implicit)).as_table_like_mut().ok_or("`secret` is no table")?;
        for variable in secrets {
            let mut rule = Table::new();
            rule.insert("file", value(secret_file(&variable.name)));
            put(all, &variable.name, Item::Table(rule), &mut kept);
        }
    }
    Ok((document.to_string(), kept))
}

fn put(table: &mut dyn TableLike, name: &str, item: Item, kept: &mut Vec<String>) {
    if table.contains_key(name) {
        kept.push(name.to_owned());
    } else {
        table.insert(name, item);
    }
}

/// Returns the file of an imported secret, below the store.
pub fn secret_file(name: &str) -> String {
    format!("secrets/{}", name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<&str, &str>) {
        match (read(line), expected) {
            (Ok(found), Ok(value)) => assert_eq!(found.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), [value], "{line}"),
            (Err(refused), Err(why)) => assert!(refused.len() == 1 && refused[0].contains(why), "{line}: {refused:?}"),
            (found, _) => panic!("{line}: {found:?}"),
        }
    }

    // O-04
    #[test]
    fn lines_become_data_and_nothing_is_run() {
        check("export K=\"v\"", Ok("v"));
        check("K='a $(b) `c` \"d\" $E'", Ok("a $(b) `c` \"d\" $E"));
        check("export K=\"a \\\"b\\\" \\$x \\\\ \\n\"  # why", Ok("a \"b\" $x \\ \\n"));
        check("K=", Ok(""));
        check("K=a\\ b", Ok("a b"));
        check("K=\"a\"'b'c", Ok("abc"));
        check("\texport\tK=a$", Ok("a$"));
        check("K=ü=1", Ok("ü=1"));
        check("export K=$(cat key)", Err("line 1: a command would have to be run ($(…))"));
        check("K=\"`id`\"", Err("a command"));
        check("K=\"${HOME}/x\"", Err("another variable"));
        check("K=$'a\\n'", Err("another variable"));
        check("K=~/x", Err("a home would have to be looked up (~)"));
        check("K=/a:~me/b", Err("a home would have to be looked up (~)"));
        check("K='~/x':a~b", Ok("~/x:a~b"));
        check("K=a; rm -rf x", Err("`;` means something to a shell"));
        check("K=a cmd", Err("something stands behind its value"));
        check("K=\"a", Err("its quote does not end"));
        check("K=a\\", Err("goes on in the next line"));
        check("source other", Err("it sets no variable"));
        check("if true; then K=1; fi", Err("it sets no variable"));
        check("1K=a", Err("no name of a variable"));
        check("PATH=/evil", Err("speaks of this machine alone"));
        check("LD_PRELOAD=/x", Err("speaks of this machine alone"));
        check("AI_NETWORK=host", Err("speaks of this machine alone"));
        assert_eq!(
            read("\u{feff}# x\n\nA=1\r\nB=2\nA=3\n").unwrap().into_iter().map(|one| (one.name, one.value, one.line)).collect::<Vec<_>>(),
            [("B".into(), "2".into(), 4), ("A".into(), "3".into(), 5)]
        );
        assert_eq!(read("A=$(x)\nB=1\nC=`y`\n").unwrap_err().len(), 2);
    }

    // O-04
    #[test]
    fn what_stands_in_the_file_stays() {
        let one = |name: &str, value: &str| ImportedVariable { name: name.into(), value: value.into(), line: 1 };
        let (literal, known, secret) = (one("CI", "a\"b"), one("MINE", "2"), one("X_KEY", "v"));
        let scanner = KeyScanner::default();
        assert!(is_secret(&scanner, &secret) && !is_secret(&scanner, &literal));
        let own = "# mine\nnetwork = 'none'\n\n[env.set] # x\nMINE = '1'\n\n[tool.glm]\nmemory = '4g'\n";
        let (text, kept) = add(own, &[&literal, &known], &[&secret]).unwrap();
        assert_eq!(kept, ["MINE"]);
        assert!(
            text.contains("[env.set] # x\nMINE = '1'\nCI = 'a\"b'\n") && text.contains("[secret.X_KEY]\nfile = \"secrets/x_key\"\n"),
            "{text}"
        );
        assert!(add("env = 1", &[&literal], &[]).is_err() && add("= 1", &[&literal], &[]).is_err());
    }
}
