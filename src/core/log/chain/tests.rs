use serde_json::{Map, json};

use super::*;
use crate::core::log::{self, LogLevel};

/// Files of runs, each chained to the one before, and what is kept of their end.
fn log(files: &[usize]) -> (Vec<LogFile>, LogEnd) {
    let (mut found, mut before, mut all) = (Vec::new(), String::new(), Vec::new());
    let mut end = None;
    for (at, runs) in files.iter().enumerate() {
        let mut text = Vec::new();
        let mut add = |event: &str, more: Map<String, Value>| {
            let line = log::line(1_764_000_000, LogLevel::Info, event, more, &before);
            let last = link_to(line.as_bytes());
            end = Some(LogEnd { before: std::mem::replace(&mut before, last.clone()), last, is_written: true });
            text.extend(line.bytes().chain(*b"\n"));
        };
        if at > 0 {
            let more = json!({ "number": at, "runs": sums(&all) });
            add(OPENED, more.as_object().unwrap().clone());
        }
        for run in 0..*runs {
            let exit = [0, 1, 137, 125][run % 4];
            let more = json!({ "tool": "claude", "start": 100, "end": 107, "exit": exit });
            add("run", more.as_object().unwrap().clone());
        }
        all.clone_from(&text);
        found.push(LogFile { name: format!("events.jsonl.{}", files.len() - 1 - at), text });
    }
    (found, end.unwrap())
}

fn faults(files: &[LogFile], end: Option<&LogEnd>) -> Vec<String> {
    audit(files, end).faults
}

#[test]
fn a_log_as_it_was_written_has_no_fault() {
    for files in [vec![1], vec![5], vec![3, 2], vec![4, 4, 4, 1], vec![9, 1, 1, 1, 1, 2]] {
        let (log, end) = log(&files);
        let audit = audit(&log, Some(&end));
        assert!(audit.faults.is_empty(), "{:?}", audit.faults);
        assert_eq!((audit.lines, audit.end.as_deref()), (files.iter().sum::<usize>() + files.len() - 1, Some(end.last.as_str())));
    }
    assert_eq!(audit(&[], None), Audit::default());
}

//
#[test]
fn every_edit_deletion_and_exchange_of_lines_is_found() {
    let (log, end) = log(&[4, 4]);
    let with = |file: usize, lines: &[Vec<u8>]| {
        let mut log = log.clone();
        log[file].text = lines.concat();
        log
    };
    for (file, whole) in log.iter().enumerate() {
        let lines: Vec<Vec<u8>> = whole.text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        for at in 0..lines.len() {
            let (mut gone, mut changed, mut twice, mut garbage) = (lines.clone(), lines.clone(), lines.clone(), lines.clone());
            gone.remove(at);
            let text = String::from_utf8(changed[at].clone()).unwrap();
            changed[at] = text.replace("2025", "2024").into_bytes();
            twice.insert(at, lines[at].clone());
            garbage[at] = b"}{\n".to_vec();
            let mut wrong = vec![gone, changed, twice, garbage];
            for other in at + 1..lines.len() {
                let mut exchanged = lines.clone();
                exchanged.swap(at, other);
                wrong.push(exchanged);
            }
            for (kind, lines) in wrong.iter().enumerate() {
                assert!(!faults(&with(file, lines), Some(&end)).is_empty(), "file {file}, line {at}, kind {kind}");
            }
        }
    }
}

//
#[test]
fn a_file_or_an_end_that_is_gone_is_found() {
    let (log, end) = log(&[2, 2, 2]);
    for at in 0..log.len() {
        let mut log = log.clone();
        log.remove(at);
        assert!(!faults(&log, Some(&end)).is_empty(), "file {at}");
    }
    assert_eq!(faults(&log, None), ["what is kept of the end is gone"]);
    assert_eq!(faults(&[], Some(&end)), ["all lines are gone"]);
    // More than are kept: the oldest may go.
    let (log, end) = self::log(&[1, 1, 1, 1, 1, 1, 1, 1]);
    assert!(faults(&log[2..], Some(&end)).is_empty());
    assert_eq!(faults(&log[3..], Some(&end)), ["1 of 5 older files are gone"]);
}

#[test]
fn what_older_programs_wrote_and_what_a_crash_tore_is_no_fault() {
    let (mut log, _) = log(&[1]);
    let text = String::from_utf8(log[0].text.clone()).unwrap();
    let old = "{\"time\":1,\"event\":\"run\"}\n{\"time\":2,\"ev";
    let link = next_link(old.as_bytes(), None);
    let line = text.trim_end().replace("\"previous\":\"\"", &format!("\"previous\":\"{link}\""));
    log[0].text = format!("{old}\n{line}\n").into_bytes();
    let end = LogEnd { before: link, last: link_to(line.as_bytes()), is_written: true };
    assert_eq!(audit(&log, Some(&end)), Audit { lines: 3, unlinked: 1, torn: 1, end: Some(end.last.clone()), faults: Vec::new() });
    assert_eq!(LogEnd::parse(&end.text()), Some(end));
}

//
#[test]
fn a_crash_is_told_from_a_line_that_is_gone_or_somebody_elses() {
    let (log, end) = log(&[3]);
    let text = String::from_utf8(log[0].text.clone()).unwrap();
    let begun = LogEnd { is_written: false, ..end.clone() };
    let without_last = &text[..=text.trim_end().rfind('\n').unwrap()];
    let forged = log::line(7, LogLevel::Info, "run", Map::new(), &end.last);
    for (text, end, is_whole) in [
        // The digests were written, and then nothing, a part, or all of the line.
        (without_last.to_owned(), &begun, true),
        (text[..text.len() - 20].to_owned(), &begun, true),
        (text.clone(), &begun, true),
        // It was written.
        (without_last.to_owned(), &end, false),
        (text[..text.len() - 20].to_owned(), &end, false),
        (format!("{text}{forged}\n"), &end, false),
        (format!("{text}junk\n"), &end, false),
        (format!("{text}junk"), &end, false),
    ] {
        let file = |text: &str| [LogFile { name: "events.jsonl".into(), text: text.as_bytes().to_vec() }];
        assert_eq!(faults(&file(&text), Some(end)).is_empty(), is_whole, "{text}");
        // Nor does a further line hide it.
        let before = next_link(text.as_bytes(), Some(end));
        let next = log::line(8, LogLevel::Info, "run", Map::new(), &before);
        let all = format!("{text}{}{next}\n", if text.ends_with('\n') { "" } else { "\n" });
        let now = LogEnd { before, last: link_to(next.as_bytes()), is_written: true };
        assert_eq!(faults(&file(&all), Some(&now)).is_empty(), is_whole, "{all}");
    }
    // Without what is kept of the end, the next line names none.
    assert_eq!(next_link(text.as_bytes(), None), UNKNOWN);
    assert_eq!(next_link(b"", None), "");
    assert_eq!(next_link(b"", Some(&end)), end.last);
}

// R-T02
#[test]
fn sums_go_on_over_files() {
    let (log, _) = log(&[4, 5, 1]);
    let sum = |text: &[u8]| sums(text)["claude"].clone();
    let ended = |success: u64, others: u64| {
        let names = ["success", "failure", "killed", "engine"];
        names.into_iter().map(|name| (name.to_owned(), if name == "success" { success } else { others })).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(sum(&log[0].text), RunSums { ended: ended(1, 1), seconds: 28 });
    assert_eq!(sum(&log[1].text), RunSums { ended: ended(3, 2), seconds: 63 });
    assert_eq!(sum(&log[2].text), RunSums { ended: ended(4, 2), seconds: 70 });
    assert!(sums(b"\n{\"event\":\"opened\",\"runs\":7}\nx").is_empty());
}
