//! A commit message from a tool: what it is asked, what its answer means, and what must not be sent.
//!
//! Pure: the staged change comes as the bytes that git printed, the answer as the bytes that the tool printed.

use std::collections::BTreeMap;

use serde::Deserialize;

pub mod answer;
pub mod choice;
pub mod patch;
pub mod prompt;
pub mod secrets;

use answer::AnswerRule;

/// `[commit]` of a manifest: how the program is asked for a text, with nothing but its login. The prompt is its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommitRules {
    /// The program with its arguments. `{model}` stands for the model, `{home}` for the tool's home; without a model, the word
    /// `{model}` goes away with the one before it.
    pub argv: Vec<String>,
    /// The model that is asked where the person chose none.
    pub model: Option<String>,
    /// Literals for the environment, over the manifest's own. `{home}` stands for the tool's home.
    pub env: BTreeMap<String, String>,
    /// Files that the program finds in its home: path in the home → text.
    pub files: BTreeMap<String, String>,
    /// Where the message is in what it prints; all of it if absent.
    pub answer: Option<AnswerRule>,
}

impl CommitRules {
    /// Returns the program with its arguments for a home and a model.
    pub fn words(&self, home: &str, model: Option<&str>) -> Vec<String> {
        let model = model.or(self.model.as_deref());
        let mut words: Vec<String> = Vec::new();
        for word in &self.argv {
            match (word.as_str(), model) {
                ("{model}", None) => drop(words.pop()),
                ("{model}", Some(model)) => words.push(model.into()),
                (word, _) => words.push(word.replace("{home}", home)),
            }
        }
        words
    }

    /// Returns the literals for the environment.
    pub fn literals(&self, home: &str) -> impl Iterator<Item = (String, String)> {
        self.env.iter().map(move |(name, value)| (name.clone(), value.replace("{home}", home)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_only_where_there_is_one() {
        let argv = ["x", "-m", "{model}", "-f={home}/a", "{}"].map(str::to_owned).to_vec();
        let mut rules = CommitRules { argv, ..CommitRules::default() };
        assert_eq!(rules.words("/h", None), ["x", "-f=/h/a", "{}"]);
        assert_eq!(rules.words("/h", Some("big")), ["x", "-m", "big", "-f=/h/a", "{}"]);
        rules.model = Some("small".into());
        assert_eq!(rules.words("/h", None), ["x", "-m", "small", "-f=/h/a", "{}"]);
        assert_eq!(rules.words("/h", Some("big"))[2], "big");
    }
}
