//! What each setting that has one value becomes: a key of a file, a part of a layer, a variable, a row.

macro_rules! settings {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr, env $env:literal, $parse:expr;)*) => {
        /// The keys of all settings that have one value.
        pub const KEYS: &[&str] = &[$(stringify!($name)),*];

        /// The variable of each.
        pub const VARIABLES: &[&str] = &[$($env),*];

        /// Returns key, type and description of each setting that has one value.
        pub fn shapes() -> Vec<(&'static str, &'static str, &'static str)> {
            vec![$((stringify!($name), stringify!($type), concat!($($doc),*))),*]
        }

        /// One layer: what it sets, and nothing else.
        #[derive(Clone, Debug, Default)]
        pub struct Layer {
            $($(#[doc = $doc])* pub $name: Option<Setting<$type>>,)*
            /// What it lets in.
            pub admitted: Admitted,
            /// The profile that it chooses; only a flag or `AI_PROFILE` does.
            pub profile: Option<String>,
        }

        impl Layer {
            /// Whether it sets nothing.
            pub fn is_empty(&self) -> bool {
                true $(&& self.$name.is_none())* && self.admitted == Admitted::default() && self.profile.is_none()
            }
        }

        /// All settings that have one value, resolved.
        #[derive(Clone, Debug)]
        pub struct Settings { $($(#[doc = $doc])* pub $name: Setting<$type>,)* }

        /// A table of a configuration file: the file itself, or one of its sections. `flatten` would lose the places of the keys,
        /// so all are listed here.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default, remote = "Self")]
        pub(in crate::core) struct ConfigTable {
            $($name: Option<Spanned<$type>>,)*
            mounts: Vec<Spanned<MountRule>>,
            env: EnvTable,
            publish: Vec<Spanned<Publish>>,
            cache: Option<Vec<Spanned<Cache>>>,
            dns: Vec<Spanned<IpAddr>>,
            hosts: BTreeMap<String, Spanned<IpAddr>>,
            overlay: Vec<Spanned<Overlay>>,
            cloud: Vec<Spanned<Cloud>>,
            egress: EgressTable,
            ssh: AgentTable,
            secret: BTreeMap<String, Spanned<SecretRule>>,
            /// Sections are tables of their own; only a file has them.
            tool: BTreeMap<String, Spanned<ConfigTable>>,
            profile: BTreeMap<String, Spanned<ConfigTable>>,
            project: BTreeMap<String, Spanned<ConfigTable>>,
            build: Option<Spanned<Build>>,
            route: Vec<Spanned<RouteRule>>,
        }

        $crate::core::text::from_table::read_from_table!(ConfigTable);

        impl ConfigTable {
            /// Returns what it sets, each with its place.
            pub(in crate::core) fn layer(&self, origin: &impl Fn(usize) -> Origin) -> Layer {
                Layer { $($name: setting(self.$name.as_ref(), origin),)* admitted: self.admitted(origin), profile: None }
            }
        }

        impl Layer {
            /// This layer over a lower one.
            #[must_use]
            pub fn over(self, lower: Self) -> Self {
                Self { $($name: self.$name.or(lower.$name),)* admitted: self.admitted.over(lower.admitted), profile: self.profile.or(lower.profile) }
            }

            /// Key, value and origin of each setting that this layer has.
            pub fn rows(&self) -> Vec<(&'static str, serde_json::Value, &Origin)> {
                let mut rows = Vec::new();
                $(rows.extend(self.$name.as_ref().map(|set| (stringify!($name), serde_json::json!(set.value), &set.origin)));)*
                rows
            }

            pub fn resolve(self) -> Settings {
                Settings { $($name: self.$name.unwrap_or_else(|| Setting::new($default, Origin::Default)),)* }
            }

            /// Returns the layer of the `AI_*` variables. An empty variable is not set.
            pub fn from_env(env: &Env) -> Result<Self> {
                Ok(Self { $($name: match env.text($env) {
                    None => None,
                    Some(text) => {
                        let parse: fn(&str) -> std::result::Result<$type, String> = $parse;
                        let value = parse(text).map_err(|why| {
                            Failure::new(Kind::Config, format!("cannot use `{}`: {why}", $env)).hint(format!("unset {}", $env))
                        })?;
                        Some(Setting::new(value, Origin::Env($env)))
                    }
                },)* admitted: admitted_by(env)?, profile: env.text("AI_PROFILE").map(str::to_owned) })
            }
        }

        impl Settings {
            /// Puts what is fixed in the place of what is set.
            ///
            /// # Errors
            /// Where something else was said for this very run: that is told, not passed over.
            fn fix(&mut self, fixed: Layer) -> Result<()> {
                $(if let Some(fixed) = fixed.$name {
                    fixed::refuse_other(stringify!($name), &self.$name, &fixed)?;
                    self.$name = fixed;
                })*
                Ok(())
            }

            /// Key, value and origin of each setting, in the order of the documentation.
            pub fn rows(&self) -> Vec<(&'static str, serde_json::Value, String)> {
                vec![$((stringify!($name), serde_json::json!(self.$name.value), self.$name.origin.to_string()),)*]
            }
        }
    };
}
