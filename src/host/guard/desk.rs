//! What all connections of a helper share: the rules, the way out, and what was seen.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::core::guard::order::GuardOrder;
use crate::core::guard::record::GuardRecord;
use crate::core::guard::rule::EgressRules;
use crate::core::guard::upstream::UpstreamProxy;
use crate::host::Host;
use crate::host::guard::agent::AgentDesk;
use crate::host::guard::broker::KeyDesk;
use crate::host::guard::clipboard::ClipboardDesk;
use crate::host::guard::order;
use crate::host::guard::page::PageDesk;
use crate::host::machine::clock;

#[derive(Debug)]
pub struct Desk {
    pub rules: EgressRules,
    /// The person's own proxy with what needs none.
    pub upstream: Option<(UpstreamProxy, String)>,
    /// Asks the system for addresses: the host's own program knows everything that the host's configuration names.
    pub getent: Option<PathBuf>,
    /// The key that stays outside.
    pub key: Option<KeyDesk>,
    /// What a container has of the SSH agent.
    pub agent: Option<AgentDesk>,
    /// Where pages are opened.
    pub pages: Option<PageDesk>,
    /// Where pictures are read.
    pub clipboard: Option<ClipboardDesk>,
    seen: Mutex<SeenTraffic>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct SeenTraffic {
    record: GuardRecord,
    is_new: bool,
}

/// How often the record is written at most: who kills the helper loses no more of it.
const PACE: Duration = Duration::from_millis(100);

impl Desk {
    /// # Errors
    /// Where the person's proxy is one that we cannot go through: what would get out past it must not.
    pub fn new(host: &Host, order: GuardOrder, agent: Option<AgentDesk>, directory: &Path) -> io::Result<Self> {
        let url = match order.proxy.as_str() {
            "off" => None,
            "auto" => ["HTTPS_PROXY", "https_proxy"].iter().find_map(|name| host.env.text(name)),
            url => Some(url),
        };
        let no_proxy = ["NO_PROXY", "no_proxy"].iter().find_map(|name| host.env.text(name)).unwrap_or_default();
        let upstream = url.map(UpstreamProxy::parse).transpose();
        let upstream = upstream.map_err(|why| io::Error::other(format!("your proxy cannot be used: {why}")))?;
        let pages = (!order.pages.is_empty()).then(|| PageDesk::new(host, &order.pages));
        let key = order.key.map(|key| KeyDesk::new(host, key, directory)).transpose()?;
        Ok(Self {
            key,
            agent,
            pages,
            clipboard: order.clipboard.then(|| ClipboardDesk::new(host)),
            rules: order.egress.unwrap_or_default(),
            upstream: upstream.map(|proxy| (proxy, no_proxy.to_owned())),
            getent: host.program("getent"),
            seen: Mutex::default(),
            news: Condvar::new(),
        })
    }

    /// Changes the record.
    pub fn note(&self, change: impl FnOnce(&mut GuardRecord)) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut seen.record);
        seen.is_new = true;
        drop(seen);
        self.news.notify_one();
    }

    pub fn record(&self) -> GuardRecord {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).record.clone()
    }

    /// Writes the record whenever it changed, from now on.
    pub fn watch(self: &std::sync::Arc<Self>, directory: PathBuf) {
        let desk = std::sync::Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                let seen = desk.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let mut seen = desk.news.wait_while(seen, |seen| !seen.is_new).unwrap_or_else(PoisonError::into_inner);
                if seen.record.ended {
                    return;
                }
                seen.is_new = false;
                // Written while it is locked: the last word is the one that stays.
                let _ = order::keep(&directory, &seen.record);
                drop(seen);
                clock::pause(PACE);
            }
        });
    }

    /// Writes the record for the last time.
    pub fn finish(&self, directory: &Path) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.record.ended = true;
        // The end of the session says that there is none.
        let _ = order::keep(directory, &seen.record);
    }
}
