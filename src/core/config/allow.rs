//! One more thing that is let in, written into a person's file as they wrote it: comments, order and spelling stay.

use clap::ValueEnum;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

/// What `ai config allow` lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Allowance {
    /// a directory or file
    Mount,
    /// a variable of the host
    Env,
    /// a port
    Publish,
    /// downloads of a package manager
    Cache,
    /// an account of a cloud
    Cloud,
    /// a directory of the project that is its own inside
    Overlay,
    /// a host, or a set of them, for guarded runs
    Host,
}

/// Where in the file it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePart<'a> {
    File,
    Tool(&'a str),
    /// By the root of the project.
    Project(&'a str),
}

/// Returns the text with one more entry; as it was where the entry is there.
///
/// # Errors
/// Where the text is no TOML, or the key holds something that takes no entries.
pub fn allow(text: &str, part: FilePart, what: Allowance, word: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let table = match part {
        FilePart::File => document.as_table_mut() as &mut dyn TableLike,
        FilePart::Tool(name) => below(document.as_table_mut(), &["tool", name])?,
        FilePart::Project(root) => below(document.as_table_mut(), &["project", root])?,
    };
    let (table, key) = match what {
        Allowance::Mount => (table, "mounts"),
        Allowance::Env => (inner(table, "env")?, "pass"),
        Allowance::Publish => (table, "publish"),
        Allowance::Cache => (table, "cache"),
        Allowance::Cloud => (table, "cloud"),
        Allowance::Overlay => (table, "overlay"),
        Allowance::Host => (inner(table, "egress")?, "allow"),
    };
    let list = table.entry(key).or_insert_with(|| value(Array::new())).as_array_mut().ok_or_else(|| no_room(key))?;
    let entry = entry(what, word);
    if !list.iter().any(|known| known.to_string().trim() == entry.to_string().trim()) {
        list.push(entry);
    }
    Ok(document.to_string())
}

fn no_room(key: &str) -> String {
    format!("`{key}` is written in a way that takes no further entry")
}

fn entry(what: Allowance, word: &str) -> Value {
    match word.strip_suffix(":rw").filter(|_| what == Allowance::Mount) {
        None => word.into(),
        Some(path) => {
            let mut table = InlineTable::new();
            table.insert("path", path.into());
            table.insert("write", true.into());
            Value::InlineTable(table)
        }
    }
}

/// Returns a table of tables, made where it is missing.
fn below<'a>(root: &'a mut Table, path: &[&str]) -> Result<&'a mut dyn TableLike, String> {
    let mut table: &mut dyn TableLike = root;
    for (depth, name) in path.iter().enumerate() {
        let mut new = Table::new();
        new.set_implicit(depth + 1 < path.len());
        table = table.entry(name).or_insert(Item::Table(new)).as_table_like_mut().ok_or_else(|| no_room(name))?;
    }
    Ok(table)
}

fn inner<'a>(table: &'a mut dyn TableLike, name: &str) -> Result<&'a mut dyn TableLike, String> {
    let new = || Item::Value(Value::InlineTable(InlineTable::new()));
    table.entry(name).or_insert_with(new).as_table_like_mut().ok_or_else(|| no_room(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, part: FilePart, what: Allowance, word: &str, expected: &str) {
        assert_eq!(allow(text, part, what, word).as_deref(), Ok(expected), "{text}");
        assert_eq!(allow(expected, part, what, word).as_deref(), Ok(expected), "once is enough");
    }

    // NE-07
    #[test]
    fn what_a_person_wrote_stays_as_it_is() {
        let own = "# mine\nnetwork   = 'none' # slow\n\n[tool.glm] # later\nmemory = '4g'\n";
        let with = "# mine\nnetwork   = 'none' # slow\nmounts = [\"~/notes\"]\n\n[tool.glm] # later\nmemory = '4g'\n";
        check(own, FilePart::File, Allowance::Mount, "~/notes", with);
        check(
            with,
            FilePart::File,
            Allowance::Mount,
            "/data:rw",
            &with.replace("\"~/notes\"", "\"~/notes\", { path = \"/data\", write = true }"),
        );
        check(own, FilePart::Tool("glm"), Allowance::Publish, "3000", &format!("{own}publish = [\"3000\"]\n"));
        check(own, FilePart::Project("/w/p.x"), Allowance::Cache, "npm", &format!("{own}\n[project.\"/w/p.x\"]\ncache = [\"npm\"]\n"));
        check("", FilePart::File, Allowance::Cloud, "aws", "cloud = [\"aws\"]\n");
        check("", FilePart::File, Allowance::Env, "CI", "env = { pass = [\"CI\"] }\n");
        check(own, FilePart::Tool("glm"), Allowance::Host, "npm", &format!("{own}egress = {{ allow = [\"npm\"] }}\n"));
        check(
            "[egress]\nmode = 'list' # x\n",
            FilePart::File,
            Allowance::Host,
            "a.com:8443",
            "[egress]\nmode = 'list' # x\nallow = [\"a.com:8443\"]\n",
        );
        check("[env]\npass = ['A'] # a\n", FilePart::File, Allowance::Env, "CI", "[env]\npass = ['A', \"CI\"] # a\n");
    }

    #[test]
    fn what_takes_no_entry_is_said() {
        assert!(allow("mounts = 'x'", FilePart::File, Allowance::Mount, "/a").unwrap_err().contains("`mounts`"));
        assert!(allow("env = 1", FilePart::File, Allowance::Env, "A").unwrap_err().contains("`env`"));
        assert!(allow("tool = 1", FilePart::Tool("glm"), Allowance::Env, "A").unwrap_err().contains("`tool`"));
        assert!(allow("= 1", FilePart::File, Allowance::Env, "A").is_err());
    }
}
