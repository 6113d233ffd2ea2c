//! A Dockerfile, as far as one must know: which images it starts from, and which files it takes.

/// What a Dockerfile names outside of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// Images, each once, in their order. One that depends on an argument is as it is written, with its `$`.
    pub from: Vec<String>,
    /// Files and directories of the context, as they are written. `.` where only the build can tell.
    pub copies: Vec<String>,
}

/// Reads a Dockerfile. What no builder would take has no meaning here either, and the builder says so.
pub fn read(text: &str) -> Dockerfile {
    let mut found = Dockerfile::default();
    let mut stages: Vec<String> = Vec::new();
    for line in instructions(text) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "FROM" => {
                let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                let Some(image) = words.next() else { continue };
                if !stages.iter().any(|stage| stage.eq_ignore_ascii_case(image)) && image != "scratch" {
                    add(&mut found.from, image);
                }
                let is_named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
                stages.extend(words.next().filter(|_| is_named).map(str::to_owned));
            }
            "COPY" | "ADD" => copied(rest, &stages, &mut found),
            "RUN" => mounted(rest, &stages, &mut found),
            _ => {}
        }
    }
    found
}

fn add(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

/// Takes the sources of a `COPY` or `ADD`.
fn copied(rest: &str, stages: &[String], found: &mut Dockerfile) {
    let mut rest = rest;
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, behind) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        rest = behind.trim_start();
        if let Some(from) = flag.strip_prefix("from=") {
            return other_image(from, stages, found);
        }
    }
    let words: Vec<String> = match serde_json::from_str(rest) {
        Ok(words) => words,
        Err(_) => rest.split_whitespace().map(str::to_owned).collect(),
    };
    // The last word is where it goes.
    for source in words.iter().rev().skip(1).rev() {
        source_of(source, found);
    }
}

/// Takes what the steps of a `RUN` have mounted.
fn mounted(rest: &str, stages: &[String], found: &mut Dockerfile) {
    for mount in rest.split_whitespace().take_while(|word| word.starts_with("--")).filter_map(|word| word.strip_prefix("--mount=")) {
        let option = |name: &str| mount.split(',').find_map(|option| option.strip_prefix(name)?.strip_prefix('='));
        if option("type").is_some_and(|kind| kind != "bind") {
            continue;
        }
        match option("from") {
            Some(from) => other_image(from, stages, found),
            None => source_of(option("source").or(option("src")).unwrap_or("."), found),
        }
    }
}

fn other_image(from: &str, stages: &[String], found: &mut Dockerfile) {
    let is_stage = from.bytes().all(|byte| byte.is_ascii_digit()) || stages.iter().any(|stage| stage.eq_ignore_ascii_case(from));
    if !is_stage {
        add(&mut found.from, from);
    }
}

fn source_of(source: &str, found: &mut Dockerfile) {
    let is_elsewhere = source.contains("://") || source.starts_with("git@") || source.starts_with("<<");
    if is_elsewhere {
        return;
    }
    let parts: Vec<&str> = source.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    // What a pattern or an argument means is for the builder to say: it gets everything where that may lie.
    let plain: Vec<&str> = parts.iter().copied().take_while(|part| !part.contains(['*', '?', '[', '$', '\\']) && *part != "..").collect();
    add(&mut found.copies, &if plain.is_empty() { ".".to_owned() } else { plain.join("/") });
}

/// Returns the instructions, each as one line, without comments.
fn instructions(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut here: Option<String> = None;
    for line in text.lines() {
        if let Some(end) = &here {
            if line.trim_start_matches('\t') == end {
                here = None;
            }
            continue;
        }
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let (line, goes_on) = line.strip_suffix('\\').map_or((line, false), |line| (line.trim_end(), true));
        match found.last_mut().filter(|_| is_open) {
            Some(last) => {
                last.push(' ');
                last.push_str(line);
            }
            None => found.push(line.to_owned()),
        }
        is_open = goes_on;
        if !is_open {
            here = found.last().and_then(|line| here_document(line));
        }
    }
    found
}

/// Returns the word that ends the document which an instruction begins.
fn here_document(line: &str) -> Option<String> {
    let word = line.split_whitespace().next()?.to_ascii_uppercase();
    let begins = matches!(word.as_str(), "RUN" | "COPY" | "ADD").then(|| line.split_once("<<"))??.1;
    let end = begins.trim_start_matches('-').split_whitespace().next()?.trim_matches(['"', '\'']);
    Some(end.to_owned()).filter(|end| !end.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, from: &[&str], copies: &[&str]) {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(text), Dockerfile { from: words(from), copies: words(copies) }, "{text}");
    }

    #[test]
    fn images_and_stages_are_told_apart() {
        check(
            "# syntax=x\nARG V=1\nFROM --platform=linux/amd64 a:1 AS build\nfrom Build\nFROM b:$V\nFROM a:1\nFROM scratch",
            &["a:1", "b:$V"],
            &[],
        );
        check(
            "FROM a\nCOPY --from=b:2 /x /y\nCOPY --from=0 /x /y\nRUN --mount=type=bind,from=c:3,target=/c true",
            &["a", "b:2", "c:3"],
            &[],
        );
    }

    #[test]
    fn what_is_copied_is_named_once_and_what_nobody_can_tell_is_everything() {
        check("FROM a\nCOPY a b \\\n # a comment\n  ./c/ /to/\nADD --chown=1:1 a x\nADD https://x.example/y /y", &["a"], &["a", "b", "c"]);
        check("FROM a\nCOPY [\"a b\", \"c\", \"/to\"]", &["a"], &["a b", "c"]);
        check("FROM a\nCOPY src/*.json pkg?/x $ARG/y ../up /", &["a"], &["src", "."]);
        check("FROM a\nCOPY . .", &["a"], &["."]);
        check("FROM a\nRUN --mount=type=bind,source=req.txt,target=/r --mount=type=cache,target=/c pip install", &["a"], &["req.txt"]);
        check("FROM a\nRUN --mount=type=bind,target=/r make", &["a"], &["."]);
    }

    #[test]
    fn a_document_in_the_text_is_no_instruction() {
        check("FROM a\nCOPY <<EOF /etc/x\nCOPY secret /\nEOF\nRUN <<-'END' sh\nADD x /\n\tEND\nCOPY c /", &["a"], &["c"]);
        check("FROM a\nCOPY <<EOF", &["a"], &[]);
    }
}
