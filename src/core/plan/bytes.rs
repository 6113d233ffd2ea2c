//! Words that are no UTF-8. Engines carry a command as JSON and replace every other byte, so such words travel as octal
//! text and become bytes again in the container.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::core::shell::Shell;

/// Returns the command to put before `args`, so that both reach the program byte for byte.
///
/// As long as all words are UTF-8, that is `command` itself. Else it is a line for `sh` that makes all words anew; the
/// words behind it are then only for the reader of the argument vector.
pub(super) fn deliver(command: Vec<OsString>, args: &[OsString]) -> Vec<OsString> {
    if command.iter().chain(args).all(|word| word.to_str().is_some()) {
        return command;
    }
    let mut line = String::from("set --");
    for word in command.iter().chain(args) {
        match word.to_str() {
            Some(text) => line.push_str(&format!("; set -- \"$@\" {}", Shell::Bash.quote(text))),
            // Command substitution drops newlines at the end; the `.` keeps them.
            None => line.push_str(&format!("; w=$(printf '%b.' '{}'); set -- \"$@\" \"${{w%.}}\"", octal(word))),
        }
    }
    line.push_str("; unset w; exec \"$@\"");
    vec!["sh".into(), "-c".into(), line.into(), "sh".into()].into_iter().chain(command).collect()
}

fn octal(word: &OsStr) -> String {
    word.as_bytes().iter().map(|byte| format!("\\0{byte:03o}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_as_it_is() {
        let command = vec![OsString::from("claude")];
        assert_eq!(deliver(command.clone(), &["ü".into()]), command);
    }

    #[test]
    fn bytes_go_as_octal() {
        let delivered = deliver(vec!["claude".into()], &["it's".into(), OsStr::from_bytes(b"a\xff\n").to_owned()]);
        let line = r#"set --; set -- "$@" claude; set -- "$@" 'it'\''s'; w=$(printf '%b.' '\0141\0377\0012'); set -- "$@" "${w%.}"; unset w; exec "$@""#;
        assert_eq!(delivered, ["sh", "-c", line, "sh", "claude"]);
    }
}
