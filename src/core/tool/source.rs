//! Where the text of a manifest comes from.

use crate::core::text::packed;

/// The text of a manifest and where it came from.
#[derive(Clone, Debug)]
pub struct ManifestText {
    written: Written,
    pub origin: String,
}

#[derive(Clone, Debug)]
enum Written {
    Own(String),
    /// In a packed text of this name, and as JSON where that is read at each run: it is quicker to read.
    Shipped {
        file: String,
        json: Option<&'static str>,
    },
}

impl ManifestText {
    /// Returns the text of a file of somebody's own.
    pub fn own(text: &str, origin: impl Into<String>) -> Self {
        Self { written: Written::Own(text.to_owned()), origin: origin.into() }
    }

    /// Returns the text of a manifest that comes with the program.
    pub fn shipped(name: &str, json: Option<&'static str>) -> Self {
        let file = format!("{name}.toml");
        Self { origin: format!("built-in {file}"), written: Written::Shipped { file, json } }
    }

    /// Returns the text as people read it.
    pub fn text(&self) -> &str {
        match &self.written {
            Written::Own(text) => text,
            Written::Shipped { file, .. } => packed::text(file),
        }
    }

    /// Returns what it says as JSON, where that is there.
    pub fn json(&self) -> Option<&'static str> {
        if let Written::Shipped { json, .. } = &self.written { *json } else { None }
    }

    /// Returns whether it comes with the program.
    pub fn is_shipped(&self) -> bool {
        matches!(self.written, Written::Shipped { .. })
    }
}
