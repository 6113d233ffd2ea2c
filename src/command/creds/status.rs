//! `ai creds status`: every place that holds a login, and which one counts.

use serde::Serialize;

use crate::command::creds::{migrate, places};
use crate::core::census::age;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::backup::{About, Why};
use crate::core::login::{Login, Validity};
use crate::core::text::typed::typed;
use crate::host::output;
use crate::host::store::login::CredentialFile;
use crate::host::{self, Host, migrate as host_migrate};

/// One place that holds a login of one tool.
#[derive(Debug, Serialize)]
struct LoginRow {
    tool: String,
    /// `store`, `volume`, `host` or `old`.
    source: &'static str,
    path: String,
    /// Whether sessions use it.
    used: bool,
    #[serde(flatten)]
    login: Login,
    expired: bool,
    /// Permission bits in octal.
    mode: String,
    /// Another place that holds the same link of the same chain.
    duplicate_of: Option<String>,
    /// What a person should do about it.
    advice: Option<String>,
}

pub fn run(host: &Host, only: Option<&str>, json: bool) -> Result<u8> {
    let now = host::now();
    let old = old_logins(host)?;
    let mut rows: Vec<LoginRow> = Vec::new();
    let mut backups = Vec::new();
    let mut without = Vec::new();
    for (name, place) in places(host, only)? {
        let failed = |error: std::io::Error| Failure::new(Kind::General, format!("cannot read the login of {name}")).because(error);
        let store = place.look().map_err(failed)?;
        let kept = place.backups().map_err(failed)?;
        if store.is_none() {
            without.push(name.clone());
        }
        let store_login = store.as_ref().map(|found| found.login.clone());
        let beside = |found: CredentialFile| match &store_login {
            Some(store) => CredentialFile { login: found.login.clone().beside(store), ..found },
            None => found,
        };
        rows.extend(store.map(|found| row(&name, place.kind(), found, &kept, now)));
        let on_host = place.host_directory().map(|directory| directory.join(place.main()));
        let on_host = on_host.and_then(|path| place.look_at(&path).ok().flatten());
        rows.extend(on_host.map(|found| row(&name, "host", beside(found), &kept, now)));
        for path in old.iter().filter(|path| path.file_name().is_some_and(|file| file == place.main())) {
            let found = place.look_at(path).ok().flatten();
            rows.extend(found.map(|found| row(&name, "old", beside(found), &kept, now)));
        }
        backups.extend(kept.into_iter().map(|about| (name.clone(), about)));
    }
    mark_duplicates(&mut rows);
    if json {
        let backups: Vec<_> =
            backups.iter().map(|(tool, about)| serde_json::json!({ "tool": tool, "name": about.name(), "about": about })).collect();
        output::json(&serde_json::json!({ "logins": rows, "backups": backups, "logged_out": without }))?;
        return Ok(0);
    }
    output::lines(lines(&rows, &backups, &without, now))?;
    Ok(0)
}

fn old_logins(host: &Host) -> Result<Vec<std::path::PathBuf>> {
    host_migrate::token_files(&migrate::sources(host))
        .map_err(|error| Failure::new(Kind::General, "cannot read the old directories").because(error))
}

fn row(tool: &str, source: &'static str, found: CredentialFile, kept: &[About], now: u64) -> LoginRow {
    let open = format!("others can read it: chmod 600 {}", typed(&found.path.to_string_lossy()));
    let advice = match (source, found.login.validity) {
        ("store" | "volume", Validity::Empty | Validity::Torn) => Some("ai creds restore --last-good, or ai login"),
        ("store", _) if found.mode & 0o077 != 0 => Some(&*open),
        ("store" | "volume", _) => None,
        (_, Validity::Good) if is_ours(&found.login, kept) => {
            Some("a copy of the store's login: do not use it, the first to renew logs the other out")
        }
        ("host", Validity::Good | Validity::Foreign) => Some("apart from the store's; ai creds import takes it over"),
        ("old", Validity::Good) => Some("ai creds migrate"),
        _ => None,
    };
    LoginRow {
        tool: tool.into(),
        source,
        used: matches!(source, "store" | "volume") && found.login.is_good(),
        expired: found.login.expires.is_some_and(|expires| expires <= now),
        path: found.path.display().to_string(),
        mode: format!("{:04o}", found.mode & 0o7777),
        duplicate_of: None,
        login: found.login,
        advice: advice.map(str::to_owned),
    }
}

/// Whether this link of a chain was the store's at any time that we remember.
fn is_ours(login: &Login, kept: &[About]) -> bool {
    kept.iter().any(|about| about.why == Why::Good && about.fingerprint == login.fingerprint)
}

fn mark_duplicates(rows: &mut [LoginRow]) {
    for at in 1..rows.len() {
        let (before, rest) = rows.split_at_mut(at);
        let row = &mut rest[0];
        let first = before.iter().find(|first| first.tool == row.tool && first.login.fingerprint == row.login.fingerprint);
        row.duplicate_of = first.filter(|first| first.login.fingerprint.is_some()).map(|first| first.path.clone());
    }
}

fn lines(rows: &[LoginRow], backups: &[(String, About)], without: &[String], now: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let validity = match row.login.validity {
            Validity::Good => "good",
            Validity::Empty => "EMPTY",
            Validity::Torn => "TORN",
            Validity::Foreign => "other account",
        };
        let used = if row.used { "*" } else { " " };
        let account = row.login.account.as_deref().unwrap_or("account unknown");
        let renews = if row.login.refresh { "renews itself" } else { "does not renew itself" };
        let lineage = row.login.fingerprint.as_ref().map_or("-", |fingerprint| fingerprint.as_str());
        lines.push(format!(
            "{used} {:8} {:6} {validity}, {account}, {}, {renews}, mode {}, chain {lineage}",
            row.tool,
            row.source,
            ends(row, now),
            row.mode
        ));
        lines.push(format!("    {}", row.path));
        if let Some(other) = &row.duplicate_of {
            lines.push(format!("    the same as {other}"));
        }
        if let Some(advice) = &row.advice {
            lines.push(format!("    hint: {advice}"));
        }
    }
    for name in without {
        lines.push(format!("  {name:8} store  not logged in; hint: ai login {name}"));
    }
    for (name, about) in backups {
        let lineage = about.fingerprint.as_ref().map_or("-", |fingerprint| fingerprint.as_str());
        lines.push(format!("  {name:8} backup {}, {} ago, chain {lineage}", about.name(), age(now.saturating_sub(about.taken))));
    }
    lines
}

fn ends(row: &LoginRow, now: u64) -> String {
    match row.login.expires {
        None => "no end".into(),
        Some(end) if end > now => format!("access ends in {}", age(end - now)),
        Some(end) => format!("access ended {} ago", age(now - end)),
    }
}
