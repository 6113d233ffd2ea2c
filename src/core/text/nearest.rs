//! What somebody may have meant who typed a name that is not there.

/// Returns the name with the fewest edits, if they are few.
pub fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let distance = |other: &str| edits(&name.to_ascii_lowercase(), other);
    names.iter().map(|other| (distance(other), other)).filter(|(edits, _)| *edits <= 2).min().map(|(_, other)| other)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let names = ["claude".to_owned(), "gemini".into(), "glm".into()];
        for (typed, expected) in
            [("cluade", Some("claude")), ("claud", Some("claude")), ("Gemini", Some("gemini")), ("gml", Some("glm")), ("terraform", None)]
        {
            assert_eq!(nearest(typed, &names).map(String::as_str), expected, "{typed}");
        }
    }
}
