//! What may stand in a manifest, `tools/NAME.toml`, as JSON Schema.

use serde_json::{Map, Value, json};

/// Returns the schema's keywords, without its head.
pub fn manifest() -> Value {
    let (text, texts, names) = (json!({ "type": "string" }), list(&json!({ "type": "string" })), map(&json!({ "type": "string" })));
    let (yes_or_no, whole) = (json!({ "type": "boolean" }), json!({ "type": "integer", "minimum": 1 }));
    let pair = json!({ "type": "array", "items": text, "minItems": 2, "maxItems": 2 });
    let secret = table(&[
        ("env", &texts),
        ("file", &text),
        ("command", &texts),
        ("optional", &yes_or_no),
        ("deliver", &json!({ "enum": ["env", "file"] })),
    ]);
    let bound = json!({ "oneOf": [text, texts] });
    let mut rule = table(&[
        ("path", &text),
        ("host", &text),
        ("class", &json!({ "enum": ["json", "toml", "keys", "lines", "tree"] })),
        ("keys", &texts),
        ("login_keys", &texts),
        ("out", &map(&bound)),
        ("executes", &texts),
        ("reads", &list(&json!({ "enum": ["comments", "trailing-commas", "bom"] }))),
        ("skip", &texts),
        ("lock", &text),
        ("seed", &text),
    ]);
    rule["required"] = json!(["path", "class"]);
    let mut name = table(&[
        ("file", &text),
        ("at", &text),
        ("names", &json!({ "enum": ["program", "file", "beside", "url", "variable", "text"] })),
        ("guards", &yes_or_no),
        ("comes", &yes_or_no),
        ("when", &pair),
        ("unless", &text),
        ("called", &text),
    ]);
    let mut document =
        table(&[("path", &text), ("heads", &yes_or_no), ("runs", &json!({ "enum": ["ticks", "braces"] })), ("imports", &yes_or_no)]);
    document["required"] = json!(["path"]);
    name["required"] = json!(["file", "at", "names", "called"]);
    let mut download = table(&[("from", &text), ("sha256", &json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }))]);
    download["required"] = json!(["from", "sha256"]);
    let install = table(&[
        ("base", &text),
        ("apt", &texts),
        ("npm", &text),
        ("integrity", &text),
        ("pip", &text),
        ("url", &map(&download)),
        ("run", &texts),
        ("check", &texts),
        ("version", &text),
    ]);
    let state = table(&[
        ("home", &table(&[("at", &text), ("env", &text), ("host", &text), ("value", &text), ("as_on_host", &yes_or_no)])),
        (
            "login",
            &table(&[
                ("env", &text),
                ("at", &text),
                ("files", &texts),
                ("host", &text),
                ("tokens_only", &yes_or_no),
                ("at_home", &yes_or_no),
            ]),
        ),
        ("shared", &texts),
        ("private", &texts),
        ("stale", &texts),
        ("along", &names),
        ("links", &names),
        ("login_env", &table(&[("set", &names), ("unless", &texts)])),
        ("before", &text),
    ]);
    let mut of_project = table(&[("like", &text), ("read", &json!({ "enum": ["here", "ends", "way"] }))]);
    of_project["required"] = json!(["like", "read"]);
    let words = table(&[("env", &names), ("args", &texts)]);
    let mut when = table(&[("variable", &text), ("set", &names)]);
    when["required"] = json!(["variable", "set"]);
    let telemetry = table(&[("env", &names), ("grpc", &words), ("http", &words)]);
    let answer = table(&[("lines", &yes_or_no), ("only", &names), ("text", &text), ("failed", &text)]);
    let commit = table(&[("argv", &texts), ("model", &text), ("env", &names), ("files", &names), ("answer", &answer)]);
    let mut transcripts = table(&[("at", &text), ("also", &texts), ("format", &json!({ "enum": ["claude", "codex", "gemini"] }))]);
    transcripts["required"] = json!(["at", "format"]);
    let mut way = table(&[
        ("variable", &text),
        ("login", &text),
        ("header", &text),
        ("set", &names),
        ("args", &texts),
        ("also", &names),
        ("files", &names),
        ("url", &text),
        ("base", &text),
        ("paths", &texts),
        ("quiet", &texts),
    ]);
    way["required"] = json!(["header"]);
    let keys = table(&[
        ("base", &text),
        ("url", &text),
        ("paths", &texts),
        ("fields", &texts),
        ("query", &texts),
        ("refuse", &texts),
        ("renew", &texts),
        ("from", &list(&way)),
    ]);
    table(&[
        ("about", &text),
        ("command", &texts),
        ("args", &texts),
        ("network", &json!({ "type": "string", "minLength": 1 })),
        ("native", &text),
        ("profile_of", &text),
        ("image", &json!({ "type": "string", "minLength": 1 })),
        ("install", &install),
        ("print", &texts),
        ("print_commands", &texts),
        ("account_env", &text),
        ("path_options", &texts),
        ("complete", &texts),
        ("login", &texts),
        ("logout", &texts),
        ("min_version", &text),
        ("relaunch", &json!({ "type": "integer", "minimum": 1, "maximum": 255 })),
        ("limits", &table(&[("memory", &text), ("cpus", &json!({ "type": "number", "exclusiveMinimum": 0 })), ("pids", &whole)])),
        ("egress", &table(&[("model", &texts), ("quiet", &texts), ("at_start", &map(&whole)), ("pages", &texts), ("page_env", &names)])),
        ("keys", &keys),
        ("env", &table(&[("pass", &texts), ("set", &names), ("append", &names), ("when", &list(&when))])),
        ("secret", &map(&secret)),
        ("state", &state),
        ("sync", &list(&rule)),
        ("names", &list(&name)),
        ("project_settings", &map(&of_project)),
        (
            "plugins",
            &table(&[
                ("list", &pair),
                ("on", &pair),
                ("below", &text),
                ("root", &text),
                ("documents", &list(&document)),
                ("names", &list(&name)),
            ]),
        ),
        ("documents", &list(&document)),
        ("project_documents", &text),
        ("reads", &names),
        ("imports", &texts),
        ("commit", &commit),
        ("resume", &texts),
        ("telemetry", &telemetry),
        ("transcripts", &transcripts),
    ])
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn map(values: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

fn table(properties: &[(&str, &Value)]) -> Value {
    let properties: Map<String, Value> = properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).clone())).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::core::tool::manifest::Manifest;

    // NE-07: the parser says which keys it knows; the schema has the same.
    #[test]
    fn every_table_of_a_manifest_has_the_keys_that_its_parser_knows() {
        let schema = manifest();
        for (text, pointer) in [
            ("", ""),
            ("[install]", "/properties/install"),
            ("[install.url.x64]", "/properties/install/properties/url/additionalProperties"),
            ("[limits]", "/properties/limits"),
            ("[egress]", "/properties/egress"),
            ("[env]", "/properties/env"),
            ("[secret.X]", "/properties/secret/additionalProperties"),
            ("[state]", "/properties/state"),
            ("[state.home]", "/properties/state/properties/home"),
            ("[state.login]", "/properties/state/properties/login"),
            ("[state.login_env]", "/properties/state/properties/login_env"),
            ("[[sync]]", "/properties/sync/items"),
            ("[[names]]", "/properties/names/items"),
            ("[plugins]", "/properties/plugins"),
            ("[[plugins.names]]", "/properties/plugins/properties/names/items"),
            ("[commit]", "/properties/commit"),
            ("[commit.answer]", "/properties/commit/properties/answer"),
            ("[transcripts]", "/properties/transcripts"),
            ("[project_settings.x]", "/properties/project_settings/additionalProperties"),
            ("[telemetry]", "/properties/telemetry"),
            ("[telemetry.grpc]", "/properties/telemetry/properties/grpc"),
        ] {
            let complaint = toml::from_str::<Manifest>(&format!("{text}\nnonsense_ = 1\n")).unwrap_err().message().to_owned();
            let known: BTreeSet<&str> = complaint.split('`').skip(3).step_by(2).collect();
            let properties = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"))["properties"].as_object().unwrap();
            assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), known, "{text}: {complaint}");
        }
    }
}
