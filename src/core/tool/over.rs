//! One manifest over another: a profile over the tool that it names, or a person's words over what comes with the program.

use crate::core::setup::rules::PluginRules;
use crate::core::tool::manifest::{EnvRules, HostRules, LimitRules, Manifest};

impl Manifest {
    /// Returns a manifest of the same tool that comes with the program, with what this one says in front of it and nothing taken away.
    #[must_use]
    pub fn more_of(self, base: Self) -> Self {
        let (pass, secret) = (base.env.pass.clone(), base.secret.clone());
        let (login, logout, about) = (base.login.clone(), base.logout.clone(), base.about.clone());
        let (pages, page_env) = (base.egress.pages.clone(), base.egress.page_env.clone());
        let mut more = self.on_top_of(base);
        more.env.pass.splice(0..0, pass);
        for (name, rule) in secret {
            more.secret.entry(name).or_insert(rule);
        }
        more.login = if more.login.is_empty() { login } else { more.login };
        more.logout = if more.logout.is_empty() { logout } else { more.logout };
        more.about = if more.about.is_empty() { about } else { more.about };
        more.egress.pages = if more.egress.pages.is_empty() { pages } else { more.egress.pages };
        more.egress.page_env = if more.egress.page_env.is_empty() { page_env } else { more.egress.page_env };
        Self { profile_of: None, ..more }
    }

    /// This profile over the tool that it names: the tool's program and layout, the profile's own environment and secrets.
    #[must_use]
    pub fn on_top_of(self, base: Self) -> Self {
        fn or<T>(profile: Vec<T>, base: Vec<T>) -> Vec<T> {
            if profile.is_empty() { base } else { profile }
        }
        let has_own_account =
            !self.secret.is_empty() || !self.env.set.is_empty() || !self.env.pass.is_empty() || !self.egress.model.is_empty();
        let mut set = base.env.set;
        set.extend(self.env.set);
        let mut append = base.env.append;
        append.extend(self.env.append);
        let base_install = base.install.filter(|_| self.image.is_none());
        let base_image = base.image.filter(|_| self.install.is_none());
        Self {
            about: self.about,
            command: or(self.command, base.command),
            args: base.args.into_iter().chain(self.args).collect(),
            network: self.network.or(base.network),
            native: self.native.or(base.native),
            profile_of: self.profile_of,
            image: self.image.or(base_image),
            install: self.install.or(base_install),
            print: or(self.print, base.print),
            print_commands: or(self.print_commands, base.print_commands),
            account_env: self.account_env.or(base.account_env),
            relaunch: self.relaunch.or(base.relaunch),
            path_options: or(self.path_options, base.path_options),
            complete: or(self.complete, base.complete),
            // Where the profile brings a key or a server, that is its account.
            login: if has_own_account { self.login } else { or(self.login, base.login) },
            logout: if has_own_account { self.logout } else { or(self.logout, base.logout) },
            min_version: self.min_version.or(base.min_version),
            egress: HostRules {
                model: or(self.egress.model, base.egress.model),
                quiet: or(self.egress.quiet, base.egress.quiet),
                at_start: if self.egress.at_start.is_empty() { base.egress.at_start } else { self.egress.at_start },
                pages: if has_own_account { self.egress.pages } else { or(self.egress.pages, base.egress.pages) },
                page_env: if has_own_account || !self.egress.page_env.is_empty() { self.egress.page_env } else { base.egress.page_env },
            },
            keys: if self.keys.from.is_empty() { base.keys } else { self.keys },
            limits: LimitRules {
                memory: self.limits.memory.or(base.limits.memory),
                cpus: self.limits.cpus.or(base.limits.cpus),
                pids: self.limits.pids.or(base.limits.pids),
            },
            env: EnvRules { pass: self.env.pass, set, append, when: self.env.when.into_iter().chain(base.env.when).collect() },
            secret: self.secret,
            state: self.state.or(base.state),
            sync: or(self.sync, base.sync),
            names: or(self.names, base.names),
            project_settings: if self.project_settings.is_empty() { base.project_settings } else { self.project_settings },
            plugins: if self.plugins == PluginRules::default() { base.plugins } else { self.plugins },
            documents: or(self.documents, base.documents),
            project_documents: self.project_documents.or(base.project_documents),
            reads: if self.reads.is_empty() { base.reads } else { self.reads },
            imports: or(self.imports, base.imports),
            commit: self.commit.or(base.commit),
            resume: or(self.resume, base.resume),
            telemetry: self.telemetry.or(base.telemetry),
            transcripts: self.transcripts.or(base.transcripts),
        }
    }
}
