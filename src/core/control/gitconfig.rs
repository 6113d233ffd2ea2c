//! Git's configuration files: read exactly as git reads them, and written so that git reads back what was meant.
//!
//! The grammar is that of git's own `config.c`. What git would refuse is refused here, and so is NUL, at which git's strings end.

use std::fmt::Write;

/// One setting: a variable in a section, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSetting {
    /// In lower case, as git compares it.
    pub section: String,
    /// Byte for byte, if the header has one.
    pub subsection: Option<Vec<u8>>,
    /// In lower case.
    pub key: String,
    /// `None` for a bare name, which git takes for `true`.
    pub value: Option<Vec<u8>>,
}

impl GitSetting {
    /// Returns the name as git prints it, for people.
    pub fn name(&self) -> String {
        match &self.subsection {
            Some(subsection) => format!("{}.{}.{}", self.section, String::from_utf8_lossy(subsection), self.key),
            None => format!("{}.{}", self.section, self.key),
        }
    }

    /// Returns the value as text; a bare name is `true`.
    pub fn text(&self) -> Option<&str> {
        self.value.as_ref().map_or(Some("true"), |value| std::str::from_utf8(value).ok())
    }
}

/// Says that git would not read the file, or that we do not read it as git would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGitConfig;

/// Reads a whole file.
pub fn parse(bytes: &[u8]) -> Result<Vec<GitSetting>, NoGitConfig> {
    if bytes.contains(&0) {
        return Err(NoGitConfig);
    }
    let mut reader = Reader { bytes: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), at: 0 };
    let mut settings = Vec::new();
    let mut header = (String::new(), None);
    loop {
        match reader.next() {
            None => return Ok(settings),
            Some(byte) if is_space(byte) => {}
            Some(b'#' | b';') => reader.skip_line(),
            Some(b'[') => header = reader.header()?,
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (key, value) = reader.variable(byte)?;
                settings.push(GitSetting { section: header.0.clone(), subsection: header.1.clone(), key, value });
            }
            Some(_) => return Err(NoGitConfig),
        }
    }
}

/// Adds settings at the end of a file, each under a header of its own, everything quoted.
pub fn append(file: &mut Vec<u8>, settings: &[&GitSetting]) {
    if file.last().is_some_and(|byte| *byte != b'\n') {
        file.push(b'\n');
    }
    let mut before = None;
    for setting in settings {
        let header = (&setting.section, &setting.subsection);
        if before != Some(header) {
            file.extend(rendered_header(setting));
            before = Some(header);
        }
        file.extend(rendered_variable(setting));
    }
}

/// Writes `kept` settings anew: nothing of the file that they were read from is left but them.
pub fn render(kept: &[&GitSetting]) -> Vec<u8> {
    let mut file = Vec::new();
    append(&mut file, kept);
    file
}

fn rendered_header(setting: &GitSetting) -> Vec<u8> {
    let Some(subsection) = &setting.subsection else { return format!("[{}]\n", setting.section).into_bytes() };
    let mut header = format!("[{} \"", setting.section).into_bytes();
    for byte in subsection {
        if matches!(byte, b'"' | b'\\') {
            header.push(b'\\');
        }
        header.push(*byte);
    }
    header.extend(b"\"]\n");
    header
}

fn rendered_variable(setting: &GitSetting) -> Vec<u8> {
    let mut line = String::from("\t");
    // Writing into a string cannot fail.
    let _ = write!(line, "{}", setting.key);
    let mut line = line.into_bytes();
    if let Some(value) = &setting.value {
        line.extend(b" = ");
        line.extend(quoted(value));
    }
    line.push(b'\n');
    line
}

/// Quotes as git does itself: only where leaving it out would change the value.
fn quoted(value: &[u8]) -> Vec<u8> {
    let needs_quotes =
        value.first() == Some(&b' ') || value.last() == Some(&b' ') || value.iter().any(|byte| matches!(byte, b';' | b'#' | b'\r'));
    let mut text = Vec::new();
    for byte in value {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            b'\t' => text.extend(b"\\t"),
            8 => text.extend(b"\\b"),
            byte => text.push(*byte),
        }
    }
    if needs_quotes {
        text.insert(0, b'"');
        text.push(b'"');
    }
    text
}

/// Returns what git calls space: not form feed, not vertical tab.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Returns the next byte, with CR LF as one LF; `None` at the end.
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if byte == b'\r' && self.bytes.get(self.at) == Some(&b'\n') {
            self.at += 1;
            return Some(b'\n');
        }
        Some(byte)
    }

    /// Does the same as [`Reader::next`], where the end of the file ends the line too.
    fn next_in_line(&mut self) -> u8 {
        self.next().unwrap_or(b'\n')
    }

    fn skip_line(&mut self) {
        while self.next_in_line() != b'\n' {}
    }

    /// Reads behind `[`.
    fn header(&mut self) -> Result<(String, Option<Vec<u8>>), NoGitConfig> {
        let mut name = String::new();
        loop {
            match self.next().ok_or(NoGitConfig)? {
                b']' => break,
                byte if is_space(byte) => return Ok((name, Some(self.quoted_subsection(byte)?))),
                byte if is_key(byte) || byte == b'.' => name.push(char::from(byte.to_ascii_lowercase())),
                _ => return Err(NoGitConfig),
            }
        }
        // The old spelling, `[section.subsection]`: all of it in lower case.
        match name.split_once('.') {
            Some((section, subsection)) => Ok((section.to_owned(), Some(subsection.as_bytes().to_vec()))),
            None => Ok((name, None)),
        }
    }

    fn quoted_subsection(&mut self, mut byte: u8) -> Result<Vec<u8>, NoGitConfig> {
        while is_space(byte) {
            if byte == b'\n' {
                return Err(NoGitConfig);
            }
            byte = self.next_in_line();
        }
        if byte != b'"' {
            return Err(NoGitConfig);
        }
        let mut subsection = Vec::new();
        loop {
            match self.next_in_line() {
                b'\n' => return Err(NoGitConfig),
                b'"' => break,
                b'\\' => match self.next_in_line() {
                    b'\n' => return Err(NoGitConfig),
                    byte => subsection.push(byte),
                },
                byte => subsection.push(byte),
            }
        }
        if self.next_in_line() == b']' { Ok(subsection) } else { Err(NoGitConfig) }
    }

    fn variable(&mut self, first: u8) -> Result<(String, Option<Vec<u8>>), NoGitConfig> {
        let mut key = String::from(char::from(first.to_ascii_lowercase()));
        let mut byte = self.next_in_line();
        while is_key(byte) {
            key.push(char::from(byte.to_ascii_lowercase()));
            byte = self.next_in_line();
        }
        while matches!(byte, b' ' | b'\t') {
            byte = self.next_in_line();
        }
        match byte {
            b'\n' => Ok((key, None)),
            b'=' => Ok((key, Some(self.value()?))),
            _ => Err(NoGitConfig),
        }
    }

    fn value(&mut self) -> Result<Vec<u8>, NoGitConfig> {
        let (mut value, mut is_quoted, mut trim) = (Vec::new(), false, None);
        loop {
            let byte = self.next_in_line();
            match byte {
                b'\n' if is_quoted => return Err(NoGitConfig),
                b'\n' => {
                    value.truncate(trim.unwrap_or(value.len()));
                    return Ok(value);
                }
                byte if is_space(byte) && !is_quoted => {
                    trim = trim.or(Some(value.len()));
                    if !value.is_empty() {
                        value.push(byte);
                    }
                }
                b';' | b'#' if !is_quoted => {
                    self.skip_line();
                    value.truncate(trim.unwrap_or(value.len()));
                    return Ok(value);
                }
                b'\\' => {
                    trim = None;
                    self.escape(&mut value)?;
                }
                byte => {
                    trim = None;
                    if byte == b'"' {
                        is_quoted = !is_quoted;
                    } else {
                        value.push(byte);
                    }
                }
            }
        }
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), NoGitConfig> {
        match self.next_in_line() {
            b'\n' => {}
            b't' => value.push(b'\t'),
            b'b' => value.push(8),
            b'n' => value.push(b'\n'),
            byte @ (b'\\' | b'"') => value.push(byte),
            _ => return Err(NoGitConfig),
        }
        Ok(())
    }
}
