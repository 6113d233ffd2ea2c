//! Rows of cells as lines, each column as wide as what is in it.

use super::visible::visible;

/// The side of a column on which its cells are in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Characters beyond which one long cell does not push the others away.
const WIDEST: usize = 60;

/// Returns a line for each row. A cell is visible text, whatever is in it, and never more than a part of its line.
pub fn lines<const N: usize>(sides: [Side; N], rows: &[[String; N]]) -> Vec<String> {
    let cells: Vec<[_; N]> = rows.iter().map(|row| std::array::from_fn(|at| visible(&row[at]))).collect();
    let widest = |at: usize| cells.iter().map(|row| row[at].chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(widest);
    let line = |row: &[_; N]| {
        let aligned: [String; N] = std::array::from_fn(|at| match (sides[at], widths[at]) {
            (Side::Left, width) => format!("{:width$}", row[at]),
            (Side::Right, width) => format!("{:>width$}", row[at]),
        });
        aligned.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::Side::{Left, Right};
    use super::*;

    #[track_caller]
    fn check<const N: usize>(sides: [Side; N], rows: &[[&str; N]], expected: &[&str]) {
        let rows: Vec<[String; N]> = rows.iter().map(|row| row.map(str::to_owned)).collect();
        assert_eq!(lines(sides, &rows), expected);
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        check([Left, Right, Left], &[["a", "1", "x"], ["long", "23", ""]], &["a      1  x", "long  23"]);
    }

    #[test]
    fn a_cell_is_never_two_lines_nor_a_command() {
        check([Left, Left], &[["a\nhint: b", "\x1b[2J"], ["c", "d"]], &["a\\nhint: b  \\u{1b}[2J", "c           d"]);
    }

    #[test]
    fn one_long_cell_does_not_push_the_others_away() {
        let long = "l".repeat(WIDEST + 1);
        check([Left, Left], &[["a", "b"], [&long, "c"]], &["a  b", &format!("{long}  c")]);
    }
}
