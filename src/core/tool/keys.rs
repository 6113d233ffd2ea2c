//! How a program works while its key stays outside: what a manifest says of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::guard::key::fields::FieldName;
use crate::core::guard::key::header_of;
use crate::core::guard::key::listed::Listed;

/// Which requests get the key, and what the program has in its place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyRules {
    /// The variable by which the program is led elsewhere: what it would say is where the helper leads.
    pub base: Option<String>,
    /// Where the helper leads where that variable says nothing.
    pub url: String,
    /// Which requests get the key, such as `POST /v1/messages`; `*` is one part of a path.
    pub paths: Vec<String>,
    /// Fields that go along with the key, and words of the query, beside what any request has: `x-stainless-*` is all that begin so.
    pub fields: Vec<FieldName>,
    pub query: Vec<FieldName>,
    /// Variables by which the program logs in as nobody can for it.
    pub refuse: Vec<String>,
    /// The words of the program that renew a login, in a container that has the login and no project.
    pub renew: Vec<String>,
    /// Where the key may come from; the first that is there wins.
    pub from: Vec<KeyWay>,
}

/// One kind of key: a secret or a variable, or a token of the login.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyWay {
    /// The secret or the variable of the host that is the key.
    pub variable: String,
    /// The JSON pointer to it in the first file of the login.
    pub login: String,
    /// The field that the vendor reads, such as `authorization: Bearer {key}`.
    pub header: String,
    /// Variables in the container: `{url}` leads to the helper, `{key}` stands for what the program takes for its key.
    pub set: BTreeMap<String, String>,
    /// Words of the program, with the same names.
    pub args: Vec<String>,
    /// Fields that come along, of which the value is in the login: name → JSON pointer.
    pub also: BTreeMap<String, String>,
    /// Files in the container, in place of those of the login: path → text, with the same names.
    pub files: BTreeMap<String, String>,
    /// Another vendor than that of the other keys: its address, the program's variable for that, and which requests get the key there.
    pub url: Option<String>,
    pub base: Option<String>,
    pub paths: Vec<String>,
    /// Requests without a key of which nothing is said: the program makes them by itself, and works without.
    pub quiet: Vec<String>,
}

impl KeyRules {
    /// Returns what is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        if self.from.is_empty() {
            return Ok(());
        }
        let paths = self.paths.iter().chain(self.from.iter().flat_map(|way| way.paths.iter().chain(&way.quiet)));
        if let Some(bad) = paths.into_iter().find(|path| path.parse::<Listed>().is_err()) {
            return Err(format!("`keys.paths`: `{bad}` is no method and path such as `POST /v1/messages`"));
        }
        let bad = self.from.iter().find(|way| header_of(&way.header, "x").is_none() || way.variable.is_empty() == way.login.is_empty());
        if let Some(way) = bad {
            let what = if way.variable.is_empty() { &way.login } else { &way.variable };
            return Err(format!(
                "`keys.from`: `{what}` with `{}` is no `variable` or `login` with a header `name: value {{key}}`",
                way.header
            ));
        }
        let is_odd = |way: &&KeyWay| {
            let is_field = |(name, at): (&String, &String)| at.starts_with('/') && header_of(&format!("{name}: {{key}}"), "x").is_some();
            !way.also.iter().all(is_field) || way.login.is_empty() && !way.also.is_empty()
        };
        if let Some(way) = self.from.iter().find(is_odd) {
            return Err(format!("`keys.from`: `also` of `{}{}` is for logins: name = \"/place/in/it\"", way.variable, way.login));
        }
        match self.from.iter().find(|way| way.url.is_none() && !(way.base.is_none() && way.paths.is_empty())) {
            Some(way) => Err(format!("`keys.from`: `base` and `paths` of `{}{}` belong to a `url`", way.variable, way.login)),
            None => Ok(()),
        }
    }

    /// Returns the vendor of a key: its address, the program's variable for that, and which requests get the key there.
    pub fn vendor<'a>(&'a self, way: &'a KeyWay) -> (&'a str, Option<&'a String>, &'a [String]) {
        match &way.url {
            Some(url) => (url, way.base.as_ref(), &way.paths),
            None => (&self.url, self.base.as_ref(), &self.paths),
        }
    }
}
