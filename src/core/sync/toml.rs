//! TOML: read into a tree, and edited in place so that comments and order survive.

use std::collections::HashSet;

use toml_edit::{DocumentMut, Item, Table as Section, TableLike, Value};

use crate::core::sync::document::{Flaw, MOST};
use crate::core::sync::merge::{Edit, Edits, Table, Tree, Union};

/// Returns the document as a tree with the number of its keys, or why it is none.
pub fn parse(text: &str) -> Result<(Table<'_>, usize), Flaw> {
    if is_crowded(text) {
        return Err(Flaw::TooMany);
    }
    let document: DocumentMut = text.parse().map_err(|_| Flaw::Torn)?;
    let mut keys = 0;
    let table = table(document.as_table(), &mut keys);
    Ok((table, keys))
}

/// How much more a key costs in TOML than in JSON.
const TIMES: usize = 10;

/// Returns line and column, from 1, at which a text is no document.
pub fn broken_at(text: &str) -> Option<(usize, usize)> {
    let at = text.parse::<toml_edit::DocumentMut>().err()?.span()?.start;
    let before = text.get(..at)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    Some((before.matches('\n').count() + 1, line.chars().count() + 1))
}

/// Whether a text may have more keys than are read. A document costs its parser a thousand times what this does. Not every `=` is a
/// key's, but no settings have as many.
pub fn is_crowded(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'=').count() > MOST / TIMES
}

/// Ours after the edits, or nothing if one of them has no place in it.
pub fn apply(ours: &str, theirs: &str, edits: &Edits) -> Option<String> {
    let mut document: DocumentMut = ours.parse().ok()?;
    let theirs: DocumentMut = theirs.parse().ok()?;
    change(document.as_item_mut(), Some(theirs.as_table()), edits)?;
    Some(document.to_string())
}

fn table(section: &dyn TableLike, keys: &mut usize) -> Table<'static> {
    let mut found = Table::default();
    for (name, item) in section.iter() {
        *keys += 1;
        let tree = match item.as_table_like() {
            Some(section) => Tree::Table(Box::new(table(section, keys))),
            None => match item.as_array() {
                Some(values) if values.iter().all(is_scalar) => Tree::List(values.iter().map(|value| spell_value(value).into()).collect()),
                _ => Tree::Leaf(spell(item).into()),
            },
        };
        found.insert(name.to_owned().into(), tree);
    }
    found
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::InlineTable(_))
}

/// Returns one spelling for equal values, whatever quotes, bases and comments they were written with.
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
        Value::String(text) => serde_json::Value::from(text.value().as_str()).to_string(),
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

/// Returns the edits of one table; what is to be removed goes in one pass at its end, for one by one each would move all behind it.
fn change(ours: &mut Item, theirs: Option<&dyn TableLike>, edits: &Edits) -> Option<()> {
    let mut gone = HashSet::new();
    for (name, edit) in edits {
        let section = ours.as_table_like_mut()?;
        match edit {
            Edit::Take => take(section, theirs?, name)?,
            Edit::Remove => {
                section.get(name)?;
                gone.insert(*name);
            }
            Edit::Unite(union) => unite(section.get_mut(name)?, theirs?.get(name)?, union)?,
            Edit::Within(edits) => {
                if section.get(name).is_none() {
                    let mut made = Section::new();
                    made.set_implicit(true);
                    section.insert(name, Item::Table(made));
                }
                let theirs = theirs.and_then(|theirs| theirs.get(name)?.as_table_like());
                change(section.get_mut(name)?, theirs, edits)?;
            }
        }
    }
    if !gone.is_empty() {
        remove(ours, &gone);
    }
    Some(())
}

fn take(ours: &mut dyn TableLike, theirs: &dyn TableLike, name: &str) -> Option<()> {
    let (key, item) = theirs.get_key_value(name)?;
    let mut item = item.clone();
    unplace(&mut item);
    if let Some(slot) = ours.get_mut(name) {
        if let (Item::Value(old), Item::Value(new)) = (&*slot, &mut item) {
            *new.decor_mut() = old.decor().clone();
        }
        *slot = item;
        return Some(());
    }
    ours.insert(name, item);
    let above = key.leaf_decor().prefix().and_then(|text| text.as_str());
    if above.is_some_and(|text| text.contains('#')) {
        *ours.key_mut(name)?.leaf_decor_mut() = key.leaf_decor().clone();
    }
    Some(())
}

fn unite(ours: &mut Item, theirs: &Item, Union { gone, new }: &Union) -> Option<()> {
    let (ours, theirs) = (ours.as_array_mut()?, theirs.as_array()?);
    ours.retain(|value| !gone.contains(&spell_value(value)));
    let lines = ours.iter().last().and_then(|value| value.decor().prefix()?.as_str()).filter(|text| text.contains('\n'));
    let indentation = lines.and_then(|text| text.rfind('\n').and_then(|at| text.get(at..))).map(str::to_owned);
    for item in new {
        let mut value = theirs.iter().find(|value| spell_value(value) == *item)?.clone();
        let prefix = indentation.as_deref().unwrap_or(if ours.is_empty() { "" } else { " " });
        *value.decor_mut() = toml_edit::Decor::new(prefix, "");
        ours.push_formatted(value);
    }
    Some(())
}

fn remove(ours: &mut Item, gone: &HashSet<&str>) {
    if let Some(section) = ours.as_table_mut() {
        section.retain(|name, _| !gone.contains(name));
        if section.is_empty() {
            // A table that was only implied by its keys would vanish with the last of them.
            section.set_implicit(false);
            section.set_dotted(false);
        }
    } else if let Some(section) = ours.as_inline_table_mut() {
        section.retain(|name, _| !gone.contains(name));
    }
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
        let edits = paths.iter().map(|path| match path.split_once('.') {
            None => (*path, Edit::Take),
            Some((table, name)) => (table, Edit::Within(vec![(name, Edit::Take)])),
        });
        apply(ours, theirs, &edits.collect()).unwrap()
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

    // SE-06
    #[test]
    fn elements_of_a_list_go_and_come() {
        let check = |ours: &str, theirs: &str, gone: &[&str], new: &[&str], expected: &str| {
            let own = |items: &[&str]| items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>();
            let union = Union { gone: own(gone).into_iter().collect(), new: own(new) };
            let edits = vec![("t", Edit::Within(vec![("l", Edit::Unite(Box::new(union)))]))];
            assert_eq!(apply(ours, theirs, &edits).unwrap(), expected);
        };
        check("t.l = ['a', 'b'] # c\n", "t.l = ['c']\n", &["a"], &["c"], "t.l = [ 'b', 'c'] # c\n");
        check("[t]\nl = []\n", "t.l = ['c', 'd']\n", &[], &["c", "d"], "[t]\nl = ['c', 'd']\n");
        check("t.l = [\n  'a', # a\n  'b',\n]\n", "t.l = [\"c\"]\n", &[], &["c"], "t.l = [\n  'a', # a\n  'b',\n  \"c\",\n]\n");
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
        assert_eq!(parse("a = 1\na = 2\n"), Err(Flaw::Torn));
        assert_eq!(parse("a = \n"), Err(Flaw::Torn));
    }
}
