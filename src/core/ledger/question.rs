//! A question as it is kept: there are many, so its names are numbers.

use std::collections::HashMap;

use super::Tokens;
use super::day::{Day, Time};
use super::transcript::ModelCall;

/// Names, each of which is kept once.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub names: Vec<String>,
    places: HashMap<String, u32>,
}

impl Names {
    pub fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    pub fn name(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("", String::as_str)
    }
}

/// One question as it is kept: the hash of the maker's name for its answer, its time, places of the names of its model and its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub key: u64,
    pub time: Time,
    pub model: u32,
    pub conversation: u32,
    pub tokens: Tokens,
}

impl Question {
    pub fn new(call: &ModelCall, names: &mut Names) -> Self {
        let (model, conversation) = (names.place(&call.model), names.place(&call.conversation));
        Self { key: call.key, time: call.time, model, conversation, tokens: call.tokens }
    }

    pub fn day(&self) -> Day {
        Day::of(self.time)
    }

    /// Takes a later report of the same question over; whether it is one.
    pub fn is_joined_by(&mut self, other: &Self) -> bool {
        let is_same = self.key == other.key;
        if is_same {
            self.tokens = self.tokens.most(other.tokens);
        }
        is_same
    }
}
