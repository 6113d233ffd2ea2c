//! `ai help`: short texts about one thing each.

use crate::core::text::packed;

/// A topic: its name, and what it is about.
#[derive(Debug)]
pub struct Topic {
    pub name: &'static str,
    pub about: &'static str,
}

impl Topic {
    pub fn text(&self) -> &'static str {
        packed::text(&format!("{}.txt", self.name))
    }
}

macro_rules! topics {
    ($($name:literal: $about:literal,)*) => {
        pub const TOPICS: &[Topic] = &[$(Topic { name: $name, about: $about },)*];
    };
}

topics! {
    "workspace": "what a tool sees of your files",
    "state": "where logins, settings and history live",
    "config": "settings and where they come from",
    "policy": "what the system allows, and who it is for",
    "network": "a network with no way out but a list",
    "guard": "what is kept from your machine, your keys and the network",
    "engines": "docker, podman and their kin",
    "route": "which tool runs where none is named",
    "spare": "a container that waits for the next run",
    "notify": "being told when a long run has ended",
    "tools": "tools, profiles, and adding your own",
    "trouble": "what to do when something goes wrong",
    "native": "running a tool without the container",
    "exit-codes": "what an exit code means",
    "environment": "variables, in and out of the container",
    "shells": "what the shell integration does",
}

pub fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

/// Returns the list of topics.
pub fn list() -> String {
    let line = |topic: &Topic| format!("  {:12} {}\n", topic.name, topic.about);
    let topics: String = TOPICS.iter().map(line).collect();
    format!(
        "ai help TOPIC explains one of\n\n{topics}\nai help COMMAND explains a command; ai --help lists those.\nai help man DIR writes manual pages.\n"
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_setting_is_explained() {
        let text = topic("config").unwrap().text();
        for (key, ..) in crate::core::config::Config::default().settings.rows() {
            let row = format!("\n    {key:21} AI_{:21} ", key.to_ascii_uppercase());
            assert!(text.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_text_fits_a_terminal() {
        for topic in TOPICS {
            assert!(topic.text().ends_with('\n') && topic.text().lines().count() > 8, "{}", topic.name);
            for line in topic.text().lines() {
                assert!(line.len() <= 124 && !line.ends_with(' '), "{}: {line}", topic.name);
            }
        }
    }

    #[test]
    fn a_topic_hides_no_command() {
        let commands = Cli::command();
        // What nobody types is explained by a topic.
        let hidden = |name: &str| commands.find_subcommand(name).is_some_and(clap::Command::is_hide_set);
        for topic in TOPICS.iter().filter(|topic| !matches!(topic.name, "tools" | "config" | "policy" | "route")) {
            assert!(commands.find_subcommand(topic.name).is_none() || hidden(topic.name), "{}", topic.name);
        }
    }

    #[test]
    fn every_exit_code_of_ours_is_explained() {
        use crate::core::failure::Kind;
        let text = topic("exit-codes").map(Topic::text).unwrap();
        for kind in [Kind::General, Kind::Usage, Kind::Unavailable, Kind::Busy, Kind::NotAllowed, Kind::Config, Kind::NotFound] {
            assert!(text.contains(&format!(" {}   ", kind.exit_code())), "{kind:?}");
        }
    }
}
