//! Rejects values of the right type that make no sense: an image called `--privileged`, no processors at all.

use std::os::unix::ffi::OsStrExt;

use crate::core::admit::variable;
use crate::core::config::value::{at_least_one, dollars, own_directory, parse_bytes, plain_name, processors, proxy};
use crate::core::config::{Config, Origin, Setting, Settings};
use crate::core::engine::Allowed;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::ImageChoice;
use crate::core::notify::parse_span;
use crate::core::text::nearest::nearest;
use crate::core::tool::EXEC;

impl Config {
    /// Returns the sections of no tool in `names`.
    pub fn unknown_sections<'a>(&'a self, names: &[String]) -> impl Iterator<Item = &'a Setting<String>> {
        self.sections.iter().filter(|section| section.value != EXEC && !names.contains(&section.value))
    }

    /// Fails for a section whose name is nearly a tool's: what it should do would not be done. A file that several people share
    /// may well speak of a tool that not all of them have.
    pub fn refuse_misspelt(&self, names: &[String]) -> Result<()> {
        let slip = self.unknown_sections(names).find_map(|section| Some((section, nearest(&section.value, names)?)));
        slip.map_or(Ok(()), |(Setting { value, origin }, name)| {
            Err(Failure::new(Kind::Config, format!("cannot use {origin}: there is no tool `{value}`"))
                .hint(format!("did you mean `[tool.{name}]`?")))
        })
    }
}

impl Config {
    /// Fails for a variable whose name no program could read or whose value none could be given, and for a host of no such name.
    pub(super) fn refuse_odd_names(&self) -> Result<()> {
        let admitted = &self.admitted;
        let flag = Origin::Flag("--env");
        let pass = admitted.pass.iter().filter(|setting| setting.value != "*");
        let pass = pass.map(|setting| (variable::refusal(setting.value.strip_suffix('*').unwrap_or(&setting.value)), &setting.origin));
        let set = admitted.set.iter().map(|(name, setting)| {
            (variable::refusal(name).or_else(|| variable::refusal_of_value(name, setting.value.as_bytes())), &setting.origin)
        });
        let given = admitted
            .given
            .iter()
            .map(|(name, value)| (variable::refusal(name).or_else(|| variable::refusal_of_value(name, value.as_bytes())), &flag));
        let hosts = admitted.hosts.iter().map(|(name, setting)| (variable::refusal_of_host(name), &setting.origin));
        let odd = pass.chain(set).chain(given).chain(hosts).find_map(|(why, origin)| Some((why?, origin)));
        odd.map_or(Ok(()), |(why, origin)| Err(Failure::new(Kind::Config, format!("cannot use {origin}: {why}")).hint("ai help config")))
    }
}

impl Settings {
    /// Returns what the person allows of an engine.
    pub fn allowed(&self) -> Allowed {
        Allowed { insecure: self.allow_insecure_engine.value, remote_paths: self.engine_remote_paths.value }
    }

    /// Fails for the first value that nobody can mean.
    pub(in crate::core) fn check(&self) -> Result<()> {
        check(&self.image, |image| image.as_ref().map_or(Ok(()), ImageChoice::check))?;
        check(&self.network, |network| plain_name(network).map(drop))?;
        check(&self.gpus, |gpus| gpus.as_deref().map_or(Ok(()), |gpus| plain_name(gpus).map(drop)))?;
        check(&self.proxy, |url| proxy(url).map(drop))?;
        check(&self.cpus, |cpus| cpus.map_or(Ok(()), |cpus| processors(cpus).map(drop)))?;
        check(&self.commit_model, |model| model.as_deref().map_or(Ok(()), |model| plain_name(model).map(drop)))?;
        check(&self.metrics_textfile, |path| path.as_deref().map_or(Ok(()), |path| own_directory(path).map(drop)))?;
        check(&self.notify_after, |span| span.as_deref().map_or(Ok(()), |span| parse_span(span).map(drop)))?;
        for budget in [&self.budget_day, &self.budget_month, &self.budget_project] {
            check(budget, |budget| budget.map_or(Ok(()), |budget| dollars(budget).map(drop)))?;
        }
        check(&self.commit_deadline, |seconds| at_least_one(*seconds).map(drop))?;
        for count in [&self.pids, &self.engine_cpus] {
            check(count, |count| count.map_or(Ok(()), |count| at_least_one(count).map(drop)))?;
        }
        for size in [&self.memory, &self.engine_memory, &self.shm, &self.scratch] {
            check(size, |size| size.as_deref().map_or(Ok(()), |size| parse_bytes(size).map(drop)))?;
        }
        Ok(())
    }
}

fn check<T>(setting: &Setting<T>, judge: impl Fn(&T) -> std::result::Result<(), String>) -> Result<()> {
    judge(&setting.value).map_err(|why| {
        let hint = if matches!(setting.origin, Origin::Flag(_)) { "ai help run" } else { "ai help config" };
        Failure::new(Kind::Config, format!("cannot use {}: {why}", setting.origin)).hint(hint)
    })
}
