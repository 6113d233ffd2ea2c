//! Reading a struct from a table alone.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A deserializer whose structs come from tables. What serde derives would read them from lists as well, by position, which nobody
/// writes and which takes as much room in the program again.
pub struct FromTable<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for FromTable<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(OfTable(visitor))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(OfTable(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// Takes a table, and nothing else.
struct OfTable<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OfTable<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(table)
    }
}

/// Has a struct that serde derives for itself (`#[serde(remote = "Self")]`) read from tables alone.
macro_rules! read_from_table {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                Self::deserialize($crate::core::text::from_table::FromTable(deserializer))
            }
        }
    };
}
pub(crate) use read_from_table;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields, default, remote = "Self")]
    struct NamedFields {
        one: u8,
        other: Option<String>,
    }

    read_from_table!(NamedFields);

    #[test]
    fn a_struct_is_read_from_a_table_alone() {
        let read = |text: &str| serde_json::from_str::<NamedFields>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"one": 1, "other": "x"}"#), Ok(NamedFields { one: 1, other: Some("x".into()) }));
        assert!(read(r#"[1, "x"]"#).unwrap_err().contains("invalid type: sequence, expected struct NamedFields"));
        assert!(read(r#"{"two": 1}"#).unwrap_err().contains("unknown field"));
        assert_eq!(toml::from_str::<NamedFields>("one = 2").unwrap(), NamedFields { one: 2, other: None });
    }
}
