//! What may stand in a file, as JSON Schema (draft 2020-12): for editors and for who checks files without us.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::core::admit::cache::{Cache, CacheScope};
use crate::core::config::value::{ClipboardAccess, KeysPlace, Mapping};
use crate::core::config::{KEYS, shapes};
use crate::core::engine::kind::EngineKind;
use crate::core::image::MIRROR;
use crate::core::policy::file::WORDS;
use crate::core::policy::trust::NEVER;
use crate::core::sync::HostSync;
use crate::core::tool;

/// A file that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// config.toml
    Config,
    /// a project's .ai.toml
    Project,
    /// /etc/ai/policy.toml
    Policy,
    /// tools/NAME.toml
    Manifest,
}

/// Returns the schema of a file.
pub fn schema(of: SchemaOf) -> Value {
    let (title, mut root) = match of {
        SchemaOf::Config => ("config.toml of ai", config()),
        SchemaOf::Project => (".ai.toml: what a project asks ai for", project()),
        SchemaOf::Manifest => ("tools/NAME.toml: a tool of ai", tool::schema::manifest()),
        SchemaOf::Policy => ("/etc/ai/policy.toml: what a system allows", policy()),
    };
    let mut head = Map::new();
    head.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    head.insert("title".into(), title.into());
    head.append(root.as_object_mut().unwrap_or(&mut Map::new()));
    head.into()
}

fn table(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn table_of(properties: &[(&str, &Value)]) -> Value {
    table(properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).clone())).collect())
}

/// Returns what a table of the configuration takes: settings, and what is let in.
fn keys(takes: impl Fn(&str) -> bool) -> Map<String, Value> {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let mount = json!({ "oneOf": [{ "type": "string" }, {
        "type": "object", "additionalProperties": false, "required": ["path"],
        "properties": { "path": { "type": "string" }, "write": { "type": "boolean" }, "at": { "type": "string", "pattern": "^/" } },
    }] });
    let port = r"^(?:(?:[0-9.]+|\[[0-9A-Fa-f:.]+\]):)?(?:[0-9]{1,5}:)?[0-9]{1,5}(?:/(?:tcp|udp))?$";
    let admitted = [
        ("mounts", json!({ "type": "array", "items": mount })),
        (
            "env",
            json!({ "type": "object", "properties": { "pass": strings, "set": { "type": "object", "additionalProperties": { "type": "string" } } },
                "additionalProperties": { "type": "string" } }),
        ),
        ("publish", json!({ "type": "array", "items": { "type": "string", "pattern": port } })),
        ("cache", json!({ "type": "array", "items": { "enum": Cache::names() } })),
        ("dns", strings.clone()),
        ("hosts", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("cloud", json!({ "type": "array", "items": { "enum": ["aws", "gcloud", "azure", "kube"] } })),
        ("overlay", json!({ "type": "array", "items": { "type": "string", "pattern": "^[^/]" } })),
        (
            "egress",
            table_of(&[("allow", &strings), ("deny", &strings), ("mode", &json!({ "enum": ["list", "open"] })), ("fields", &strings)]),
        ),
        (
            "ssh",
            table_of(&[
                ("keys", &strings),
                ("hosts", &json!({ "enum": ["auto", "known", "any"] })),
                ("sign", &strings),
                ("confirm", &json!({ "type": "boolean" })),
            ]),
        ),
        ("secret", json!({ "type": "object", "additionalProperties": secret() })),
    ];
    let settings = shapes().into_iter().map(|(key, kind, doc)| {
        let mut value = of_type(&kind.replace(' ', ""));
        if let Some(value) = value.as_object_mut().filter(|_| !doc.is_empty()) {
            value.insert("description".into(), doc.trim().into());
        }
        (key, value)
    });
    settings.chain(admitted).filter(|(key, _)| takes(key)).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn secret() -> Value {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    json!({ "type": "object", "additionalProperties": false, "properties": { "env": strings, "file": { "type": "string" }, "command": strings,
        "optional": { "type": "boolean" }, "deliver": { "enum": ["env", "file"] } } })
}

/// Returns the schema of a setting's type, as the table of settings spells it.
fn of_type(kind: &str) -> Value {
    fn words<T: ValueEnum>() -> Value {
        let names = T::value_variants().iter().filter_map(T::to_possible_value).map(|value| value.get_name().to_owned());
        json!({ "enum": names.collect::<Vec<_>>() })
    }
    match kind {
        "bool" => json!({ "type": "boolean" }),
        "Option<f64>" => json!({ "type": "number", "exclusiveMinimum": 0 }),
        "u32" | "Option<u32>" => json!({ "type": "integer", "minimum": 1 }),
        "Option<ImageChoice>" => image(),
        "Option<EngineKind>" => words::<EngineKind>(),
        "Mapping" => words::<Mapping>(),
        "KeysPlace" => words::<KeysPlace>(),
        "ClipboardAccess" => words::<ClipboardAccess>(),
        "HostSync" => words::<HostSync>(),
        "CacheScope" => words::<CacheScope>(),
        "Option<Collector>" => json!({ "type": "string", "pattern": "^(otlps?|https?)://" }),
        _ => json!({ "type": "string" }),
    }
}

fn image() -> Value {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let text = json!({ "type": "string" });
    json!({ "oneOf": [{ "type": "string", "minLength": 1 }, {
        "type": "object", "additionalProperties": false,
        "properties": {
            "from": text, "dockerfile": text, "context": text, "target": text,
            "args": { "type": "object", "additionalProperties": { "type": "string" } },
            "devcontainer": { "type": ["boolean", "string"] },
            "apt": { "type": "array", "items": { "type": "string", "pattern": "^[a-z0-9][A-Za-z0-9+.:=~_-]*$" } },
            "run": strings,
        },
    }] })
}

fn config() -> Value {
    let section = table(keys(|_| true));
    let mut all = keys(|_| true);
    for name in ["tool", "profile", "project"] {
        all.insert(name.into(), json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/section" } }));
    }
    let build = json!({ "type": "object", "additionalProperties": false, "properties": {
        "base": { "type": "string" }, "mirror": { "type": "string", "pattern": MIRROR }, "network": { "type": "string" },
        "versions": { "type": "object", "additionalProperties": { "type": "string" } },
    } });
    all.insert("build".into(), build);
    all.insert("route".into(), json!({ "type": "array", "items": route() }));
    let mut root = table(all);
    root["$defs"] = json!({ "section": section });
    root
}

fn route() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let words = |pattern: &str| json!({ "type": "array", "items": { "type": "string", "pattern": pattern } });
    json!({ "type": "object", "additionalProperties": false, "required": ["tool"], "minProperties": 2, "properties": {
        "tool": { "type": "string", "minLength": 1 }, "projects": words("^[/~]"), "words": words(r"\S"),
        "longer_than": count, "shorter_than": count, "stdin": { "type": "boolean" },
        "over_budget": { "enum": [true, false, "day", "month", "project"] },
    } })
}

fn project() -> Value {
    let takes = |key: &str| key != "secret" && !NEVER.contains(&key);
    let section = table(keys(takes));
    let mut all = keys(takes);
    all.insert("tool".into(), json!({ "type": "object", "additionalProperties": section }));
    table(all)
}

fn policy() -> Value {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let names = json!({ "type": "array", "items": { "type": "string", "pattern": r"^[^*\s]*\*?$", "minLength": 1 } });
    let place = r"^(/|~$|~/)";
    let mount = json!({ "oneOf": [{ "type": "string", "pattern": place }, {
        "type": "object", "additionalProperties": false, "required": ["path"],
        "properties": { "path": { "type": "string", "pattern": place }, "write": { "type": "boolean" } },
    }] });
    let words: Vec<&str> = KEYS.iter().chain(&WORDS).copied().collect();
    let forbid = json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "^--" }] });
    let fixed = table(keys(|key| KEYS.contains(&key)));
    let mut rule = Map::new();
    rule.insert("name".into(), json!({ "type": "string" }));
    for key in ["users", "groups", "except_users", "except_groups"] {
        rule.insert(key.into(), strings.clone());
    }
    for key in ["tools", "images", "networks", "env"] {
        rule.insert(key.into(), names.clone());
    }
    rule.insert("projects".into(), json!({ "type": "array", "items": { "type": "string", "pattern": place } }));
    rule.insert("mounts".into(), json!({ "type": "array", "items": mount }));
    rule.insert("clouds".into(), json!({ "type": "array", "items": { "enum": ["aws", "gcloud", "azure", "kube"] } }));
    rule.insert("forbid".into(), json!({ "type": "array", "items": forbid }));
    rule.insert("fixed".into(), fixed);
    rule.insert("log".into(), json!({ "type": "boolean" }));
    let mut root = Map::new();
    root.insert("rule".into(), json!({ "type": "array", "items": table(rule) }));
    table(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    // NE-07: a setting of a new type needs a schema of its own.
    #[test]
    fn every_type_of_a_setting_has_a_schema() {
        for (key, kind, _) in shapes() {
            let kind = kind.replace(' ', "");
            let is_text = matches!(kind.as_str(), "String" | "Option<String>");
            assert_eq!(of_type(&kind) == json!({ "type": "string" }), is_text, "{key}: {kind}");
        }
    }
}
