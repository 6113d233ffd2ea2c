//! The rows of a table as a picture: bars of blocks for a terminal, bars for a page.

use super::LedgerRow;
use crate::core::text::visible::visible;

/// What the bars are as long as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Cost,
    /// Where a part has no price.
    Tokens,
}

impl Measure {
    pub fn of(rows: &[LedgerRow]) -> Self {
        if rows.iter().all(|row| row.unpriced == 0) { Self::Cost } else { Self::Tokens }
    }

    #[expect(clippy::cast_precision_loss, reason = "a bar is no sum")]
    fn value(self, row: &LedgerRow) -> f64 {
        match self {
            Self::Cost => row.priced.dollars(),
            Self::Tokens => row.tokens.all() as f64,
        }
    }

    fn text(self, row: &LedgerRow) -> String {
        match self {
            Self::Cost => row.priced.to_string(),
            Self::Tokens => row.tokens.all().to_string(),
        }
    }

    fn title(self, date: &str) -> String {
        match self {
            Self::Cost => format!("USD, list prices of {date}"),
            Self::Tokens => "tokens: not everything has a price".into(),
        }
    }
}

/// Characters of a name beyond which it is cut.
const LONGEST: usize = 40;

fn name(row: &LedgerRow) -> String {
    let name = visible(&row.name);
    if name.chars().count() <= LONGEST { name.into_owned() } else { name.chars().take(LONGEST - 1).chain(['…']).collect() }
}

/// Returns a line for each row, with its bar, no wider than a terminal of so many columns.
pub fn lines(rows: &[LedgerRow], columns: usize, date: &str) -> Vec<String> {
    let measure = Measure::of(rows);
    let widest = |text: &dyn Fn(&LedgerRow) -> String| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (names, numbers) = (widest(&name), widest(&|row| measure.text(row)));
    let room = columns.saturating_sub(names + numbers + 4).clamp(8, 100);
    let most = rows.iter().map(|row| measure.value(row)).fold(0.0, f64::max);
    let line = |row: &LedgerRow| {
        let bar = bar(measure.value(row), most, room);
        format!("{:names$}  {:>numbers$}  {bar}", name(row), measure.text(row)).trim_end().to_owned()
    };
    rows.iter().map(line).chain([format!("({})", measure.title(date))]).collect()
}

/// Returns a bar in eighths of a character; what is more than nothing is seen.
fn bar(value: f64, most: f64, room: usize) -> String {
    const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if most <= 0.0 || value <= 0.0 {
        return String::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between nothing and the room"
    )]
    let eighths = ((value / most * (room * 8) as f64).round() as usize).clamp(1, room * 8);
    let rest = eighths % 8;
    "█".repeat(eighths / 8) + &rest.checked_sub(1).map(|at| EIGHTHS[at].to_string()).unwrap_or_default()
}

/// Returns the picture as a page that needs nothing else: readable on light and dark, with a title and a number for each bar.
pub fn svg(rows: &[LedgerRow], title: &str, date: &str) -> String {
    const ROW: usize = 22;
    const LEFT: usize = 300;
    const WIDTH: usize = 900;
    let measure = Measure::of(rows);
    let most = rows.iter().map(|row| measure.value(row)).fold(0.0, f64::max);
    let height = 60 + rows.len() * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{0}</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"16\" fill=\"#1a1a1a\">{0}: {1}</text>\n",
        escaped(title),
        measure.title(date),
    );
    for (at, row) in rows.iter().enumerate() {
        let y = 48 + at * ROW;
        let share = if most > 0.0 { measure.value(row) / most } else { 0.0 };
        let length = share * 460.0;
        svg += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#1a1a1a\">{}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\" fill=\"#3b6ea5\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#1a1a1a\">{}</text>\n",
            LEFT - 8,
            y + 13,
            escaped(&name(row)),
            ROW - 6,
            300.0 + length + 8.0,
            y + 13,
            escaped(&measure.text(row)),
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::price::Money;
    use super::super::{LedgerRow, Tokens};
    use super::*;

    fn row(name: &str, dollars: f64, unpriced: u64) -> LedgerRow {
        let tokens = Tokens { output: 10, ..Tokens::default() };
        LedgerRow { name: name.into(), requests: 1, tokens, priced: Money::of_dollars(dollars), unpriced }
    }

    #[test]
    fn bars_are_as_long_as_what_they_stand_for() {
        let rows = [row("2026-11-25", 8.0, 0), row("2026-11-26", 4.0, 0), row("a", 0.0, 0), row("b", 0.0001, 0)];
        let expected = [
            "2026-11-25    $8.00  ████████",
            "2026-11-26    $4.00  ████",
            "a             $0.00",
            "b           $0.0001  ▏",
            "(USD, list prices of D)",
        ];
        assert_eq!(lines(&rows, 0, "D"), expected);
        assert!(lines(&rows, 60, "D").iter().all(|line| line.chars().count() <= 60));
        assert_eq!(bar(15.0, 16.0, 1), "█");
        assert_eq!(bar(9.0, 16.0, 1), "▋");
    }

    #[test]
    fn what_has_no_price_is_shown_in_tokens() {
        let lines = lines(&[row("a", 1.0, 0), row("b", 0.0, 1)], 40, "D");
        assert!(lines[0].starts_with("a  10  █") && lines[2].contains("not everything has a price"), "{lines:?}");
    }

    #[test]
    fn a_name_is_neither_markup_nor_a_command() {
        let svg = svg(&[row("</text><script>&\u{1b}", 1.0, 0)], "by \"model\"", "D");
        assert!(svg.contains("&lt;/text&gt;&lt;script&gt;&amp;\\u{1b}") && svg.contains("by &quot;model&quot;"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(name(&row(&"n".repeat(99), 1.0, 0)).chars().count() == LONGEST);
    }
}
