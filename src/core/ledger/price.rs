//! What questions cost at list price. The table says its date; a model or a kind of token that is not in it has no price, which is said
//! and never guessed.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize, Serializer};

use super::{Tokens, day::Day};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::packed;
use crate::core::text::visible::toml_complaint;

/// US dollars, in millionths of a millionth: exact for every list price of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u128);

impl Money {
    const DOLLAR: u128 = 1_000_000_000_000;

    /// Returns an amount in dollars, as far as that is a sum of money.
    pub fn of_dollars(dollars: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float ends at the ends of the range")]
        Self((dollars * 1e12).round() as u128)
    }

    #[expect(clippy::cast_precision_loss, reason = "for ratios, pictures and JSON")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e12
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns how many percent of another sum this is, rounded down.
    pub fn percent_of(self, whole: Self) -> u128 {
        self.0.saturating_mul(100).checked_div(whole.0).unwrap_or(100)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::plus)
    }
}

/// Cents, and two more digits below ten cents, where cents would say nothing.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: u32 = if self.0 == 0 || self.0 >= Self::DOLLAR / 10 { 2 } else { 4 };
        let unit = Self::DOLLAR / 10_u128.pow(digits);
        let rounded = self.0.saturating_add(unit / 2) / unit;
        let (whole, part) = (rounded / 10_u128.pow(digits), rounded % 10_u128.pow(digits));
        write!(f, "${whole}.{part:0width$}", width = digits as usize)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

/// What one token costs, as [`Money`] counts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
struct Rate(u64);

impl TryFrom<f64> for Rate {
    type Error = String;

    /// Reads dollars for a million tokens.
    fn try_from(dollars: f64) -> std::result::Result<Self, String> {
        let is_price = (0.0..1e9).contains(&dollars);
        let one = u64::try_from(Money::of_dollars(dollars).0 / 1_000_000).ok().filter(|_| is_price);
        one.map(Self).ok_or_else(|| format!("{dollars} is no price"))
    }
}

/// What a model costs: USD for a million tokens. A kind of token without a number has no price.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    /// The day from which it holds.
    from: Option<String>,
    input: Rate,
    output: Rate,
    cached: Option<Rate>,
    written: Option<Rate>,
    /// Written for an hour.
    hour: Option<Rate>,
    /// Where a question is longer than the `above` of this, all of it costs this.
    long: Option<Box<Price>>,
    above: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    date: Option<String>,
    #[serde(default)]
    models: BTreeMap<String, Vec<Price>>,
}

/// All prices that are known.
#[derive(Debug)]
pub struct Prices {
    /// The day on which the table of the program was true.
    pub date: String,
    models: BTreeMap<String, Vec<Price>>,
}

impl Prices {
    /// Returns the prices of the program, with those of the person's own file over them: its text and where it is.
    pub fn new(own: Option<(&str, &str)>) -> Result<Self> {
        let built_in = read(packed::text("prices.toml"), "built-in prices.toml")?;
        let mut prices = Self { date: built_in.date.unwrap_or_default(), models: built_in.models };
        if let Some((text, origin)) = own {
            prices.models.extend(read(text, origin)?.models.into_iter().map(|(name, price)| (name.to_lowercase(), price)));
        }
        Ok(prices)
    }

    /// Returns what a model costs, by its name.
    pub fn of(&self, model: &str) -> ModelPrices<'_> {
        ModelPrices(self.periods(&model.to_lowercase()).unwrap_or_default())
    }

    /// Finds a model by its name, with the day of its making or without.
    fn periods(&self, model: &str) -> Option<&[Price]> {
        let undated = [8, 10].into_iter().find_map(|length| {
            let (name, date) = model.split_at_checked(model.len().checked_sub(length + 1)?)?;
            let is_date = date.starts_with('-') && date.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
            is_date.then_some(name)
        });
        [Some(model), undated].into_iter().flatten().find_map(|name| self.models.get(name)).map(Vec::as_slice)
    }
}

/// What one model costs, the latest last; nothing where the table has no such model.
#[derive(Clone, Copy, Debug)]
pub struct ModelPrices<'a>(&'a [Price]);

impl ModelPrices<'_> {
    /// Returns what a question cost; `None` where the table does not say.
    pub fn cost(self, day: Day, tokens: Tokens) -> Option<Money> {
        let price = match self.0 {
            [only] => only,
            _ if day == Day::UNKNOWN => return None,
            periods => periods.iter().rfind(|price| price.from.as_deref().and_then(Day::parse).is_none_or(|from| from <= day))?,
        };
        price.cost(tokens)
    }
}

fn read(text: &str, origin: &str) -> Result<PriceFile> {
    let refused = |why: String| {
        Failure::new(Kind::Config, format!("cannot read `{origin}`: it is no table of prices")).because(why).hint("docs/stats.md")
    };
    let file: PriceFile = toml::from_str(text).map_err(|error| refused(toml_complaint(&error)))?;
    for (name, periods) in &file.models {
        if periods.is_empty() {
            return Err(refused(format!("the price of `{name}` is none")));
        }
        if let Some(day) = periods.iter().filter_map(|price| price.from.as_deref()).find(|day| Day::parse(day).is_none()) {
            return Err(refused(format!("`{day}` is no day, such as 2026-11-26")));
        }
    }
    Ok(file)
}

impl Price {
    fn cost(&self, tokens: Tokens) -> Option<Money> {
        if let Some(long) = self.long.as_deref().filter(|long| long.above.is_some_and(|above| tokens.read() > above)) {
            return long.cost(tokens);
        }
        let hour = tokens.hour.min(tokens.written);
        let parts = [
            (tokens.input, Some(self.input)),
            (tokens.output, Some(self.output)),
            (tokens.cached, self.cached),
            (tokens.written - hour, self.written),
            (hour, self.hour),
        ];
        let cost = |(count, rate): (u64, Option<Rate>)| match (count, rate) {
            (0, _) => Some(Money::default()),
            (count, Some(rate)) => Some(Money(u128::from(rate.0) * u128::from(count))),
            (_, None) => None,
        };
        parts.into_iter().map(cost).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cost of input, output, cached, written and written for an hour.
    #[track_caller]
    fn check(own: &str, model: &str, day: &str, [input, output, cached, written, hour]: [u64; 5], expected: Option<f64>) {
        let prices = Prices::new(Some((own, "prices.toml"))).unwrap();
        let cost = prices.of(model).cost(Day::parse(day).unwrap_or(Day::UNKNOWN), Tokens { input, output, cached, written, hour });
        assert_eq!(cost, expected.map(Money::of_dollars), "{model} {day}");
    }

    // DA-02: what claude 2.1.330 itself says of this usage.
    #[test]
    fn a_question_costs_what_the_tool_says() {
        check("", "claude-opus-5-5", "2026-11-26", [1000, 500, 20_000, 3000, 1000], Some(0.036));
        check("", "claude-opus-4-5-20251101", "2026-11-26", [0, 1_000_000, 0, 0, 0], Some(25.0));
        check("", "gpt-6.1-sol", "2026-11-26", [1000, 500, 20_000, 0, 0], Some(0.009));
        check("", "glm-4.6", "2026-11-26", [1000, 500, 20_000, 3000, 0], Some(0.0039));
    }

    #[test]
    fn what_the_table_does_not_say_has_no_price() {
        check("", "claude-opus-99", "2026-11-26", [1, 1, 0, 0, 0], None);
        check("", "claude-opus-5-5 (fast)", "2026-11-26", [1, 1, 0, 0, 0], None);
        check("", "claude-opus-5-5-beta", "2026-11-26", [1, 1, 0, 0, 0], None);
        let own = "[models]\nm = [{ input = 1, output = 2 }]\n";
        check(own, "m", "2026-11-26", [1_000_000, 0, 0, 0, 0], Some(1.0));
        check(own, "M-20260101", "2026-11-26", [1_000_000, 0, 0, 0, 0], Some(1.0));
        check(own, "m", "2026-11-26", [1_000_000, 0, 1, 0, 0], None);
        check("", "", "2026-11-26", [1, 1, 0, 0, 0], None);
    }

    #[test]
    fn a_price_holds_from_its_day_on() {
        let own = "[models]\nm = [{ input = 1, output = 1 }, { from = \"2026-12-01\", input = 3, output = 1 }]\n";
        check(own, "m", "2026-11-30", [1_000_000, 0, 0, 0, 0], Some(1.0));
        check(own, "m", "2026-12-01", [1_000_000, 0, 0, 0, 0], Some(3.0));
        check(own, "m", "nobody knows", [1_000_000, 0, 0, 0, 0], None);
    }

    #[test]
    fn a_long_question_costs_more_for_all_of_it() {
        let own = "[models]\nm = [{ input = 1, output = 1, cached = 1, long = { above = 10, input = 2, output = 3, cached = 2 } }]\n";
        check(own, "m", "2026-11-26", [6, 1_000_000, 4, 0, 0], Some(1.00001));
        check(own, "m", "2026-11-26", [6, 1_000_000, 5, 0, 0], Some(3.000_022));
    }

    #[test]
    fn a_file_that_is_no_table_is_told() {
        for (own, why) in [
            ("[models]\nm = [{ input = 1 }]\n", "missing field `output`"),
            ("[models]\nm = []\n", "the price of `m` is none"),
            ("[models]\nm = [{ input = -1, output = 1 }]\n", "-1 is no price"),
            ("[models]\nm = [{ input = nan, output = 1 }]\n", "NaN is no price"),
            ("[models]\nm = [{ from = \"soon\", input = 1, output = 1 }]\n", "`soon` is no day"),
            ("mdoels = 1\n", "unknown field `mdoels`"),
        ] {
            let failure = Prices::new(Some((own, "prices.toml"))).unwrap_err();
            assert!(failure.to_string().contains(why) && failure.kind == Kind::Config, "{failure}");
        }
    }

    #[test]
    fn the_table_of_the_program_is_one_and_says_its_date() {
        let prices = Prices::new(None).unwrap();
        assert!(Day::parse(&prices.date).is_some() && prices.models.len() > 50, "{}", prices.date);
        assert!(prices.models.keys().all(|name| *name == name.to_lowercase()));
    }

    #[test]
    fn money_is_read_at_a_glance() {
        for (dollars, shown) in
            [(0.0, "$0.00"), (0.0039, "$0.0039"), (0.099_96, "$0.1000"), (0.1, "$0.10"), (1.005, "$1.01"), (1234.5, "$1234.50")]
        {
            assert_eq!(Money::of_dollars(dollars).to_string(), shown);
        }
        assert_eq!(Money::of_dollars(-1.0), Money::default());
        assert_eq!(Money::of_dollars(8.0).percent_of(Money::of_dollars(10.0)), 80);
    }
}
