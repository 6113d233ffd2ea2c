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

/// The tokens of one question, in their order: no model reads or says 2^32 at once, and there are many questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokensOfOne([u32; 5]);

impl From<Tokens> for TokensOfOne {
    fn from(tokens: Tokens) -> Self {
        let Tokens { input, output, cached, written, hour } = tokens;
        Self([input, output, cached, written, hour].map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    }
}

impl From<TokensOfOne> for Tokens {
    fn from(tokens: TokensOfOne) -> Self {
        let [input, output, cached, written, hour] = tokens.0.map(u64::from);
        Self { input, output, cached, written, hour }
    }
}

/// One question as it is kept: the hash of the maker's name for its answer, its time, places of the names of its model and its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub key: u64,
    pub time: Time,
    pub model: u32,
    pub conversation: u32,
    pub tokens: TokensOfOne,
}

impl Question {
    pub fn new(call: &ModelCall, names: &mut Names) -> Self {
        let (model, conversation) = (names.place(&call.model), names.place(&call.conversation));
        Self { key: call.key, time: call.time, model, conversation, tokens: call.tokens.into() }
    }

    pub fn day(&self) -> Day {
        Day::of(self.time)
    }

    /// Takes a later report of the same question over; whether it is one.
    pub fn is_joined_by(&mut self, other: &Self) -> bool {
        let is_same = self.key == other.key;
        if is_same {
            self.tokens = Tokens::from(self.tokens).most(other.tokens.into()).into();
        }
        is_same
    }
}

/// Returns questions in an order in which those of one name stand together, as they came. Names are hashes: as many places as there are
/// questions part them, and what somebody made up so that it meets in one place is sorted there.
pub fn together<'a, I: Iterator<Item = (usize, &'a Question)>>(found: impl Fn() -> I) -> Vec<(usize, &'a Question)> {
    let Some(first) = found().next() else { return Vec::new() };
    let mut order = vec![first; found().count()];
    let bits = order.len().ilog2().clamp(1, 24);
    let place = |question: &Question| usize::try_from(question.key >> (64 - bits)).unwrap_or(0);
    let mut begins = vec![0; (1 << bits) + 1];
    for (_, question) in found() {
        begins[place(question) + 1] += 1_u32;
    }
    let mut before = 0;
    for begin in &mut begins {
        before += *begin;
        *begin = before;
    }
    for one in found() {
        let next = &mut begins[place(one.1)];
        order[*next as usize] = one;
        *next += 1;
    }
    // Each place begins where the one before it has been filled to.
    let mut begin = 0;
    for end in begins {
        order[begin..end as usize].sort_by_key(|(_, question)| question.key);
        begin = end as usize;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_name_stands_together_as_it_came() {
        let check = |keys: &[u64]| {
            let at = |(place, key): (usize, &u64)| {
                let question = Question { key: *key, time: Time::UNKNOWN, model: 0, conversation: 0, tokens: TokensOfOne::default() };
                (place, question)
            };
            let questions: Vec<_> = keys.iter().enumerate().map(at).collect();
            let found = together(|| questions.iter().map(|(place, question)| (*place, question)));
            let found: Vec<_> = found.iter().map(|(place, question)| (question.key, *place)).collect();
            let mut expected: Vec<_> = questions.iter().map(|(place, question)| (question.key, *place)).collect();
            expected.sort_unstable();
            assert_eq!(found, expected);
        };
        check(&[]);
        check(&[7]);
        check(&[u64::MAX, 0, u64::MAX, 0, 1]);
        // Names that were made up to meet in one place, and such as come.
        check(&(0..5000).map(|at| at * 7919 % 1000).collect::<Vec<_>>());
        check(&(0..5000_u64).map(|at| (at % 4000).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect::<Vec<_>>());
    }
}
