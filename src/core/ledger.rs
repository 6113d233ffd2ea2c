//! The ledger: what the tools' own transcripts say of their questions to models, each counted once.
//!
//! Transcripts are written by containers: a line that is not understood counts for nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub mod budget;
pub mod cache;
pub mod chart;
pub mod day;
pub mod former;
pub mod price;
pub mod question;
pub mod transcript;

use day::Day;
use price::{ModelPrices, Money, Prices};
use question::{Names, Question, together};

/// Tokens of some questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Read anew.
    pub input: u64,
    pub output: u64,
    /// Read from the maker's cache.
    pub cached: u64,
    /// Written into it.
    pub written: u64,
    /// What of that is kept for an hour.
    #[serde(rename = "written_for_an_hour")]
    pub hour: u64,
}

impl Tokens {
    fn each(self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        Self {
            input: join(self.input, other.input),
            output: join(self.output, other.output),
            cached: join(self.cached, other.cached),
            written: join(self.written, other.written),
            hour: join(self.hour, other.hour),
        }
    }

    fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    /// Of two reports of one question, the later one knows more.
    fn most(self, other: Self) -> Self {
        self.each(other, u64::max)
    }

    /// Returns the length of what the model read.
    pub fn read(self) -> u64 {
        self.input.saturating_add(self.cached).saturating_add(self.written)
    }

    pub fn all(self) -> u64 {
        self.read().saturating_add(self.output)
    }
}

/// What the rows of a table stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    Day,
    Week,
    Project,
    Tool,
    Model,
    Conversation,
}

/// One row: a name, how many questions, how many tokens, and what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    pub name: String,
    pub requests: u64,
    #[serde(flatten)]
    pub tokens: Tokens,
    /// The list price of all questions that have one.
    #[serde(rename = "priced_usd")]
    pub priced: Money,
    /// How many have none.
    #[serde(rename = "unpriced_requests")]
    pub unpriced: u64,
}

impl LedgerRow {
    fn add(&mut self, tokens: Tokens, cost: Option<Money>) {
        self.requests += 1;
        self.tokens = self.tokens.plus(tokens);
        self.unpriced += u64::from(cost.is_none());
        self.priced = self.priced.plus(cost.unwrap_or_default());
    }

    fn join(&mut self, other: &Self) {
        self.requests += other.requests;
        self.tokens = self.tokens.plus(other.tokens);
        self.unpriced += other.unpriced;
        self.priced = self.priced.plus(other.priced);
    }

    /// Returns what all of it cost; `None` where a part has no price.
    pub fn cost(&self) -> Option<Money> {
        (self.unpriced == 0).then_some(self.priced)
    }
}

/// The questions of one tool in one project.
#[derive(Debug)]
struct Book {
    tool: String,
    project: String,
    names: Names,
    /// By file.
    files: Vec<Vec<Question>>,
}

/// All questions, of all tools in all projects.
#[derive(Debug, Default)]
pub struct Ledger {
    books: Vec<Book>,
}

/// Which questions count.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub tool: Option<String>,
    pub project: Option<String>,
    /// The begin of a conversation's name.
    pub conversation: Option<String>,
    /// The first day.
    pub since: Option<Day>,
    /// A day of the only month.
    pub month: Option<Day>,
}

impl Filter {
    fn takes(&self, book: &Book, question: &Question) -> bool {
        let conversation = || book.names.name(question.conversation);
        self.tool.as_ref().is_none_or(|tool| *tool == book.tool)
            && self.project.as_ref().is_none_or(|project| *project == book.project)
            && self.since.is_none_or(|since| question.day() >= since)
            && self.month.is_none_or(|month| question.day().is_in_month_of(month))
            && self.conversation.as_ref().is_none_or(|begin| is_begin_of(begin, conversation()))
    }
}

/// Whether two names can be of one conversation: some files say only how it begins.
fn is_begin_of(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && (one.starts_with(other) || other.starts_with(one))
}

impl Ledger {
    /// Takes the questions of each file of a tool in a project.
    pub fn add(&mut self, tool: &str, project: &str, names: Names, files: Vec<Vec<Question>>) {
        self.books.push(Book { tool: tool.to_owned(), project: project.to_owned(), names, files });
    }

    /// Calls `visit` with each question once, and the number of its book: a fork or a resume copies lines, and what is copied has the same name with the same tool.
    fn each(&self, filter: &Filter, mut visit: impl FnMut(usize, &Question)) {
        let tools: BTreeSet<&str> = self.books.iter().map(|book| book.tool.as_str()).collect();
        for tool in tools {
            let of_tool = || self.books.iter().enumerate().filter(move |(_, book)| book.tool == tool);
            let found = || of_tool().flat_map(|(at, book)| book.files.iter().flatten().map(move |question| (at, question)));
            for copies in together(found).chunk_by(|one, other| one.1.key == other.1.key) {
                // The first one is of the original, in most cases.
                let (book, mut question) = (copies[0].0, *copies[0].1);
                for (_, copy) in &copies[1..] {
                    question.is_joined_by(copy);
                }
                if filter.takes(&self.books[book], &question) {
                    visit(book, &question);
                }
            }
        }
    }

    /// Sums questions up by a number of theirs in their book, or by a day. There are many questions and few names and prices, so those are
    /// looked up once.
    fn sums<'a>(&self, by: Grouping, filter: &Filter, prices: &'a Prices) -> BTreeMap<(usize, Day, u32), LedgerRow> {
        let (mut sums, mut places): (Vec<(_, LedgerRow)>, BTreeMap<_, usize>) = Default::default();
        let mut known: BTreeMap<(usize, u32), ModelPrices<'a>> = BTreeMap::new();
        let (mut last, mut last_model) = (None, None);
        self.each(filter, |book, question| {
            let day = question.day();
            let key = match by {
                Grouping::Day => (0, day, 0),
                Grouping::Week => (0, day.monday(), 0),
                Grouping::Project | Grouping::Tool => (book, Day::UNKNOWN, 0),
                Grouping::Model => (book, Day::UNKNOWN, question.model),
                Grouping::Conversation => (book, Day::UNKNOWN, question.conversation),
            };
            let place = last.filter(|(known, _)| *known == key).map_or_else(
                || {
                    *places.entry(key).or_insert_with(|| {
                        sums.push((key, LedgerRow::default()));
                        sums.len() - 1
                    })
                },
                |(_, place)| place,
            );
            last = Some((key, place));
            let model = (book, question.model);
            let look = || *known.entry(model).or_insert_with(|| prices.of(self.books[book].names.name(question.model)));
            let of_model = last_model.filter(|(known, _)| *known == model).map_or_else(look, |(_, prices)| prices);
            last_model = Some((model, of_model));
            let tokens = question.tokens.into();
            sums[place].1.add(tokens, of_model.cost(day, tokens));
        });
        sums.into_iter().collect()
    }

    /// Returns a row for each of what is asked for: days and weeks in their order, others by what they cost and put out.
    pub fn rows(&self, by: Grouping, filter: &Filter, prices: &Prices) -> Vec<LedgerRow> {
        let mut rows: BTreeMap<String, LedgerRow> = BTreeMap::new();
        for ((book, day, place), sum) in self.sums(by, filter, prices) {
            let book = &self.books[book];
            let name = match by {
                Grouping::Day | Grouping::Week => day.to_string(),
                Grouping::Project => book.project.clone(),
                Grouping::Tool => book.tool.clone(),
                Grouping::Model | Grouping::Conversation => book.names.name(place).to_owned(),
            };
            rows.entry(name).or_default().join(&sum);
        }
        let named = |(name, row)| LedgerRow { name, ..row };
        let mut rows: Vec<LedgerRow> = rows.into_iter().map(named).collect();
        if !matches!(by, Grouping::Day | Grouping::Week) {
            rows.sort_by(|a, b| (b.priced, b.tokens.output).cmp(&(a.priced, a.tokens.output)).then_with(|| a.name.cmp(&b.name)));
        }
        rows
    }

    /// Returns a row for each tool, project and model.
    pub fn cells(&self, prices: &Prices) -> BTreeMap<[String; 3], LedgerRow> {
        let mut cells: BTreeMap<[String; 3], LedgerRow> = BTreeMap::new();
        for ((book, _, model), sum) in self.sums(Grouping::Model, &Filter::default(), prices) {
            let book = &self.books[book];
            cells.entry([book.tool.clone(), book.project.clone(), book.names.name(model).to_owned()]).or_default().join(&sum);
        }
        cells
    }

    /// Returns the models that have no price.
    pub fn unpriced(&self, filter: &Filter, prices: &Prices) -> Vec<String> {
        let rows = self.rows(Grouping::Model, filter, prices).into_iter().filter(|row| row.unpriced > 0);
        rows.map(|row| row.name).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the conversation of the last question.
    pub fn last_conversation(&self, filter: &Filter) -> Option<String> {
        let book = self.books.iter().filter(|book| filter.project.as_ref().is_none_or(|project| *project == book.project));
        let last = book.flat_map(|book| book.files.iter().flatten().map(move |question| (question.time, book, question.conversation)));
        last.max_by_key(|(time, _, _)| *time).map(|(_, book, conversation)| book.names.name(conversation).to_owned())
    }
}

/// Returns the sum of rows.
pub fn total(rows: &[LedgerRow]) -> LedgerRow {
    let mut sum = LedgerRow { name: "total".into(), ..LedgerRow::default() };
    for row in rows {
        sum.join(row);
    }
    sum
}

/// `[transcripts]` of a manifest: where the tool keeps what was said, and how it writes that down.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptRules {
    /// A directory of the home.
    pub at: String,
    /// Where older ones are moved to.
    #[serde(default)]
    pub also: Vec<String>,
    pub format: transcript::TranscriptFormat,
}

#[cfg(test)]
mod tests;
