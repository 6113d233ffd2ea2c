//! TOML: read into a tree, and edited in place so that comments and order survive.

use toml_edit::{DocumentMut, Item, Table as Section, TableLike, Value};

use crate::core::sync::document::Flaw;
use crate::core::sync::merge::{Edit, Table, Tree};

/// The document as a tree, or why it is none.
pub fn parse(text: &str) -> Result<Table, Flaw> {
    let document: DocumentMut = text.parse().map_err(|_| Flaw::Broken)?;
    Ok(table(document.as_table()))
}

/// Ours after the edits, or nothing if one of them has no place in it.
pub fn apply(ours: &str, theirs: &str, edits: &[Edit]) -> Option<String> {
    let mut document: DocumentMut = ours.parse().ok()?;
    let theirs: DocumentMut = theirs.parse().ok()?;
    for edit in edits {
        match edit {
            Edit::Take(path) => take(document.as_table_mut(), theirs.as_table(), path)?,
            Edit::Remove(path) => remove(document.as_item_mut(), path)?,
        }
    }
    Some(document.to_string())
}

fn table(section: &dyn TableLike) -> Table {
    let mut found = Table::default();
    for (name, item) in section.iter() {
        found.insert(name.to_owned(), tree(item));
    }
    found
}

fn tree(item: &Item) -> Tree {
    match item.as_table_like() {
        Some(section) => Tree::Table(table(section)),
        None => Tree::Leaf(spell(item)),
    }
}

/// One spelling for equal values, whatever quotes, bases and comments they were written with.
fn spell(item: &Item) -> String {
    match item {
        Item::None => String::new(),
        Item::Value(value) => spell_value(value),
        Item::Table(section) => spell_table(section),
        Item::ArrayOfTables(sections) => list(sections.iter().map(|section| spell_table(section))),
    }
}

fn spell_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Integer(number) => number.value().to_string(),
        Value::Float(number) => format!("{:?}", number.value()),
        Value::Boolean(truth) => truth.value().to_string(),
        Value::Datetime(time) => time.value().to_string(),
        Value::Array(values) => list(values.iter().map(spell_value)),
        Value::InlineTable(section) => spell_table(section),
    }
}

fn spell_table(section: &dyn TableLike) -> String {
    let mut pairs: Vec<String> = section.iter().map(|(name, item)| format!("{name:?}={}", spell(item))).collect();
    pairs.sort_unstable();
    format!("{{{}}}", pairs.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn take(mut ours: &mut dyn TableLike, mut theirs: &dyn TableLike, path: &[String]) -> Option<()> {
    let (last, parents) = path.split_last()?;
    for name in parents {
        theirs = theirs.get(name)?.as_table_like()?;
        if ours.get(name).is_none() {
            let mut section = Section::new();
            section.set_implicit(true);
            ours.insert(name, Item::Table(section));
        }
        ours = ours.get_mut(name)?.as_table_like_mut()?;
    }
    let (key, item) = theirs.get_key_value(last)?;
    let mut item = item.clone();
    unplace(&mut item);
    if let Some(slot) = ours.get_mut(last) {
        if let (Item::Value(old), Item::Value(new)) = (&*slot, &mut item) {
            *new.decor_mut() = old.decor().clone();
        }
        *slot = item;
        return Some(());
    }
    ours.insert(last, item);
    let above = key.leaf_decor().prefix().and_then(|text| text.as_str());
    if above.is_some_and(|text| text.contains('#')) {
        *ours.key_mut(last)?.leaf_decor_mut() = key.leaf_decor().clone();
    }
    Some(())
}

fn remove(mut ours: &mut Item, path: &[String]) -> Option<()> {
    let (last, parents) = path.split_last()?;
    for name in parents {
        ours = ours.as_table_like_mut()?.get_mut(name)?;
    }
    ours.as_table_like_mut()?.remove(last)?;
    if let Some(section) = ours.as_table_mut().filter(|section| section.is_empty()) {
        // A table that was only implied by its keys would vanish with the last of them.
        section.set_implicit(false);
        section.set_dotted(false);
    }
    Some(())
}

/// A table remembers its place in the file that it came from, which means nothing in another file.
fn unplace(item: &mut Item) {
    if let Item::ArrayOfTables(sections) = item {
        sections.iter_mut().for_each(unplace_section);
    }
    if let Item::Table(section) = item {
        unplace_section(section);
    }
}

fn unplace_section(section: &mut Section) {
    section.set_position(None);
    section.iter_mut().for_each(|(_, item)| unplace(item));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(ours: &str, theirs: &str, paths: &[&str]) -> String {
        let edits: Vec<Edit> = paths.iter().map(|path| Edit::Take(path.split('.').map(str::to_owned).collect())).collect();
        apply(ours, theirs, &edits).unwrap()
    }

    #[test]
    fn comments_and_order_survive_on_both_sides() {
        let check = |ours, theirs, paths, expected: &str| {
            assert_eq!(take_all(ours, theirs, paths), expected);
        };
        check("# top\nz = 1 # why\na = 2\n", "z = 9\n", &["z"], "# top\nz = 9 # why\na = 2\n");
        check("a = 1\n", "# about b\nb = 2 # yes\n", &["b"], "a = 1\n# about b\nb = 2 # yes\n");
        check("a = 1\n\n[t]\nx = 1\n", "[t]\ny = 2\n[u.v]\nw = 3\n", &["t.y", "u"], "a = 1\n\n[t]\nx = 1\ny = 2\n[u.v]\nw = 3\n");
        check("t = { x = 1 }\n", "[t.deep]\ny = 2\n", &["t.deep"], "t = { x = 1 , deep = { y = 2 } }\n");
    }

    #[test]
    fn a_value_is_equal_however_it_is_written() {
        let check = |one: &str, two: &str| assert_eq!(parse(one), parse(two));
        check("a = 'x'\n", "a = \"x\" # c\n");
        check("a = 0x10\n", "a = 16\n");
        check("t = { x = 1, y = [1, 2] }\n", "[t]\ny = [\n 1,\n 2,\n]\nx = 1\n");
        check("t.x = 1\n", "[t]\nx = 1\n");
        check("[[p]]\na = 1\n", "p = [{ a = 1 }]\n");
        assert_ne!(parse("a = 1\n"), parse("a = 1.0\n"));
    }

    #[test]
    fn a_key_given_twice_is_broken() {
        assert_eq!(parse("a = 1\na = 2\n"), Err(Flaw::Broken));
        assert_eq!(parse("a = \n"), Err(Flaw::Broken));
    }
}
