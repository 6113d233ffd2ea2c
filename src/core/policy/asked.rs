//! What a project asks for, in words for the person who decides.

use crate::core::policy::trust::FILE;

/// What a project's file asks for, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// What would loosen, a row each, such as `+ mount ../shared, writable`.
    pub rows: Vec<String>,
    /// What no project can ask for.
    pub refused: Vec<String>,
    /// Whether the person agreed to the rows.
    pub agreed: bool,
}

impl Asked {
    /// Joins what a file asks for each tool; a row that is not for all of them names those that it is for.
    pub fn of_all(tools: Vec<(String, Self)>) -> Self {
        let count = tools.len();
        let mut joined = Self::default();
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for (tool, asked) in tools {
            joined.agreed |= asked.agreed;
            for row in asked.rows {
                match rows.iter_mut().find(|(known, _)| *known == row) {
                    Some((_, tools)) if tools.last() == Some(&tool) => {}
                    Some((_, tools)) => tools.push(tool.clone()),
                    None => rows.push((row, vec![tool.clone()])),
                }
            }
            joined.refused.extend(asked.refused.into_iter().filter(|key| !joined.refused.contains(key)).collect::<Vec<_>>());
        }
        let worded =
            |(row, tools): (String, Vec<String>)| if tools.len() == count { row } else { format!("{row}, for {}", tools.join(", ")) };
        joined.rows = rows.into_iter().map(worded).collect();
        joined
    }

    /// Returns the line that a run says, if something is asked for and not given.
    pub fn note(&self) -> Option<String> {
        let waiting = if self.agreed { 0 } else { self.rows.len() };
        let rows = self.rows.iter().take(3).map(|row| row.trim_start_matches(['+', '~', ' '])).collect::<Vec<_>>().join(", ");
        let more = if waiting > 3 { format!(" and {} more", waiting - 3) } else { String::new() };
        match (waiting, self.refused.as_slice()) {
            (0, []) => None,
            (0, refused) => Some(format!("{FILE} asks for {}, which no project can ask for; ignored", refused.join(", "))),
            (_, []) => Some(format!("{FILE} asks for {rows}{more}; ignored until you agree; hint: ai trust")),
            (_, refused) => {
                Some(format!("{FILE} asks for {rows}{more}; ignored until you agree, and {} always; hint: ai trust", refused.join(", ")))
            }
        }
    }
}
