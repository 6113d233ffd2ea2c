//! The Dockerfile of an image of one's own: what is below, the tools, and what is said beside.

use crate::core::admit::authority;
use crate::core::image::define::Below;
use crate::core::image::source::spelled;
use crate::core::image::{Definition, sbom};
use crate::core::text::digest::sha256;

/// The name of every image that is made from a recipe; what tells them apart stands behind it.
pub const MADE: &str = "ai-made";
/// The stage that holds the tools.
const TOOLS_STAGE: &str = "ai-of-tools";

/// An image that is made from a recipe: its name says what it is made from, so that nothing else has that name.
#[derive(Clone, Debug)]
pub struct MadeImage {
    pub name: String,
    /// The image that is built before it from files, with its name.
    pub below: Option<(String, Below)>,
    /// Lines for `sh`, each with its key, once it is built.
    pub after: Vec<(String, String)>,
    /// What is not taken over, in words.
    pub left_out: Vec<String>,
    /// Images that the builder takes from elsewhere, or that were built before.
    pub bases: Vec<String>,
    /// The image of the tools.
    pub tools: String,
    dockerfile: String,
}

impl MadeImage {
    /// Returns the image that is defined on `tools`, which stands for `content` where that is known.
    pub fn new(definition: Definition, tools: &str, content: Option<&str>) -> Self {
        let below = definition.below.map(|below| (format!("{MADE}:base-{}", &digest(&below)[..12]), below));
        let from = below.as_ref().map(|(name, _)| name.as_str()).or(definition.from.as_deref());
        let dockerfile = render(from, &definition.apt, &definition.run, tools, content);
        let mut bases = definition.bases;
        bases.push(tools.to_owned());
        let name = format!("{MADE}:{}", &sha256(dockerfile.as_bytes())[..12]);
        Self { name, below, after: definition.after, left_out: definition.left_out, bases, tools: tools.to_owned(), dockerfile }
    }

    /// Returns the Dockerfile, whose steps trust these certificates.
    pub fn dockerfile(&self, certificates: &[String]) -> String {
        self.dockerfile.replacen(HERE, &authority::steps(certificates), 1)
    }

    /// Returns one word for what is to be done after it was built; it is another when that is.
    pub fn after_word(&self) -> String {
        let lines: Vec<String> = self.after.iter().map(|(key, line)| format!("{key}={line}")).collect();
        sha256(format!("{}\n{}", self.name, lines.join("\n")).as_bytes())[..16].to_owned()
    }
}

/// Where the authorities of a network are put in. Not part of what a name says: another network makes no other image.
const HERE: &str = "# authorities\n";

/// Puts everything that the assistants need into one directory, whatever image it came from.
const COLLECT: &str = r#"RUN set -e; to=/opt/ai-tools; mkdir -p $to/bin $to/lib; \
    cp -L "$(command -v node)" $to/bin/node; cp -a "$(npm root --global)" $to/lib/node_modules; cp "$(command -v as-job)" $to/bin/as-job; \
    root=$(readlink -f "$(npm root --global)"); \
    for link in "$(npm prefix --global)"/bin/*; do \
        real=$(readlink -f "$link"); name=${link##*/}; \
        case $real in "$root"/*) ;; *) continue ;; esac; \
        own=$to/lib/node_modules${real#"$root"}; \
        if [ "$(head -c 2 "$real")" = '#!' ]; then printf '#!/bin/sh\nexec %s/bin/node %s "$@"\n' $to "$own" > $to/bin/$name; chmod 0755 $to/bin/$name; \
        else ln -s "$own" $to/bin/$name; fi; \
    done
"#;

/// Brings what the tools call and an image may lack. `node` and `npm` of the image stay what they are.
const PLACE: &str = r#"RUN set -e; mkdir -p /usr/local/bin /workspace /home/ai; chmod 0755 /workspace; chmod 0777 /home/ai; \
    /opt/ai-tools/bin/node --version >/dev/null || { echo 'the tools do not start here: they need glibc, as in Debian, Ubuntu and Fedora' >&2; exit 1; }; \
    for program in /opt/ai-tools/bin/*; do \
        name=${program##*/}; case $name in node|npm|npx|corepack) ! command -v $name >/dev/null 2>&1 || continue ;; esac; \
        ln -sf $program /usr/local/bin/$name; \
    done; \
    lacks=; need() { command -v "$1" >/dev/null 2>&1 || lacks="$lacks $2"; }; \
    need git git; need perl perl-base; need ps procps; need less less; need ssh openssh-client; need curl curl; \
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || lacks="$lacks ca-certificates"; \
    if [ -n "$lacks" ] && command -v apt-get >/dev/null 2>&1; then \
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $lacks && rm -rf /var/lib/apt/lists/*; \
    elif [ -n "$lacks" ]; then echo "this image lacks what the tools call:$lacks" >&2; fi; \
    command -v perl >/dev/null 2>&1 || printf '#!/bin/sh\nexec "$@"\n' > /opt/ai-tools/bin/as-job
"#;

fn render(from: Option<&str>, apt: &[String], run: &[String], tools: &str, content: Option<&str>) -> String {
    let mut text = content.map_or_else(String::new, |content| format!("# {tools} is {content}\n"));
    match from {
        None => text.push_str(&format!("FROM {tools}\nUSER root\n{HERE}")),
        Some(from) => {
            text.push_str(&format!("FROM {tools} AS {TOOLS_STAGE}\n{COLLECT}FROM {from}\nUSER root\n{HERE}"));
            text.push_str(&format!("COPY --from={TOOLS_STAGE} /opt/ai-tools /opt/ai-tools\n{PLACE}"));
        }
    }
    if !apt.is_empty() {
        text.push_str(&format!(
            "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n",
            apt.join(" ")
        ));
    }
    for line in run {
        text.push_str(&format!("RUN {}\n", serde_json::json!(["/bin/sh", "-ec", line])));
    }
    text.push_str(&sbom::step(MADE));
    if from.is_some() {
        text.push_str("ENV HOME=/home/ai\nENTRYPOINT [\"as-job\"]\nCMD [\"sh\"]\n");
    }
    text
}

/// Returns one hash of everything that an image below is made from.
fn digest(below: &Below) -> String {
    let mut text = format!("{:?}\n", (&below.dockerfile, &below.context, &below.target, &below.args, &below.features));
    for (path, file) in &below.files {
        text.push_str(&format!("{} {} {}\n", spelled(path), u8::from(file.is_executable), sha256(&file.bytes)));
    }
    for (path, to) in &below.links {
        text.push_str(&format!("{} link {}\n", spelled(path), spelled(to)));
    }
    sha256(text.as_bytes())
}
