//! The image of a tool that its manifest installs: what all images have, and then that tool alone.

use crate::core::image::{MADE, sbom};
use crate::core::text::digest::sha256;
use crate::core::tool::install::{InstallRules, MACHINES};

/// What the image of the tools is made from. Its first stage is what every image of a tool begins with.
pub const DOCKERFILE: &str = include_str!("../../../templates/Dockerfile");
/// The shared image of all tools. The number changes when an older image cannot run what a newer program plans.
pub const TOOL_IMAGE: &str = "ai-tools:1";
const INSTALLED: &str = "ai-tool-";
/// The line that says what all images begin with.
const BASE: &str = "\nARG BASE=node:22-bookworm-slim\n";
/// The last line of the stage that all images have.
const END_OF_COMMON: &str = "\nLABEL ai.image=1\n";

/// Returns what the image of the tools is made from, to its last step.
pub fn tools_dockerfile() -> String {
    format!("{DOCKERFILE}{}", sbom::step(TOOL_IMAGE))
}

/// Returns what the image of the tools begins with, unless something else is named.
pub fn shared_base() -> &'static str {
    BASE.trim().trim_start_matches("ARG BASE=")
}

/// Returns the name of the image of a tool that its manifest installs.
pub fn installed_image(tool: &str) -> String {
    format!("{INSTALLED}{tool}:1")
}

/// Returns the tool whose own image has this name.
pub fn installed_tool(image: &str) -> Option<&str> {
    image.strip_prefix(INSTALLED)?.strip_suffix(":1")
}

/// Returns whether an image was made by `ai image build`, as far as its name says.
pub fn is_ours(image: &str) -> bool {
    image == TOOL_IMAGE || installed_tool(image).is_some() || image.strip_prefix(MADE).is_some_and(|rest| rest.starts_with(':'))
}

/// Returns the command that builds an image of ours.
pub fn build_command(image: &str) -> String {
    installed_tool(image).map_or_else(|| "ai image build".to_owned(), |tool| format!("ai image build {tool}"))
}

/// Returns the tools of the shared image, each with the version that it has unless another one is chosen.
pub fn shared_tools() -> Vec<(&'static str, &'static str)> {
    let tools = ["gemini", "codex", "claude"].into_iter();
    let shipped = |tool: &str| {
        let start = format!("\nARG {}_VERSION=", tool.to_ascii_uppercase());
        DOCKERFILE.split_once(&start)?.1.lines().next()
    };
    tools.filter_map(|tool| Some((tool, shipped(tool)?))).collect()
}

/// Returns the npm package of a tool of the shared image.
pub fn shared_package(tool: &str) -> Option<&'static str> {
    let (before, _) = DOCKERFILE.split_once(&format!("@${{{}_VERSION}}\"", tool.to_ascii_uppercase()))?;
    before.rsplit_once('"').map(|(_, package)| package)
}

/// What a tool's own image is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledImage {
    pub tool: String,
    pub rules: InstallRules,
    /// The Dockerfile, but for what a network needs.
    pub dockerfile: String,
}

impl InstalledImage {
    /// Returns the image in which `rules` install `tool`, which is started as `command`.
    pub fn new(tool: &str, command: &[String], rules: InstallRules) -> Self {
        let dockerfile = render(tool, command, &rules);
        Self { tool: tool.into(), rules, dockerfile }
    }

    pub fn name(&self) -> String {
        installed_image(&self.tool)
    }

    /// Returns one word for everything that it is made from.
    pub fn recipe(&self) -> String {
        sha256(self.dockerfile.as_bytes())[..16].to_owned()
    }
}

/// Debian's packages, each a word.
const APT: &str = "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \"$@\" && rm -rf /var/lib/apt/lists/* /var/cache/apt/*";

/// A package of npm, of the content that is known if it is known. npm ends well, too, where a part for this machine is missing: the check
/// tells.
const NPM: &str = r#"export HOME=/tmp/home
cd /tmp
what=$1
if [ -n "$2" ]; then
    what=/tmp/$(npm pack --silent --cache /tmp/npm "$1")
    is="sha512-$(node -p 'require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64")' "$what")"
    [ "$is" = "$2" ] || { echo "$1 is not what it was: $is instead of $2" >&2; exit 1; }
fi
npm install --global --ignore-scripts --no-audit --no-fund --cache /tmp/npm "$what"
rm -rf /tmp/*"#;

/// A package of PyPI in an environment of its own, whose programs are found where the image has none of their names.
const PIP: &str = r#"export HOME=/tmp/home
python3 -m venv "$1"
"$1/bin/pip" install --no-cache-dir --disable-pip-version-check --no-input --only-binary :all: "$2"
for program in "$1"/bin/*; do
    name=${program##*/}
    case $name in python*|pip*|[Aa]ctivate*) continue ;; esac
    [ -e "/usr/local/bin/$name" ] || ln -s "$program" "/usr/local/bin/$name"
done
rm -rf /tmp/*"#;

/// A program or an archive, if there is one for this machine, and its content is known.
const URL: &str = r#"name=$1; to=/opt/$1; machine=$(dpkg --print-architecture); shift
while [ $# -gt 0 ] && [ "$1" != "$machine" ]; do shift 3; done
[ $# -gt 0 ] || { echo "there is no program for $machine" >&2; exit 1; }
curl -fsSL --max-time 900 -o /tmp/file "$2"
echo "$3  /tmp/file" | sha256sum --check --status || { echo "$2 is not what it was: $(sha256sum </tmp/file)" >&2; exit 1; }
mkdir -p "$to"
case $2 in
    *.tar|*.tar.*|*.tgz|*.txz|*.tbz2) tar -xf /tmp/file -C "$to" --no-same-owner ;;
    *.zip) unzip -q /tmp/file -d "$to" ;;
    *) install -m 0755 /tmp/file "$to/$name" ;;
esac
program=$(find "$to" -type f -perm -u+x -name "$name" | head -n 1)
[ -z "$program" ] || ln -sf "$program" "/usr/local/bin/$name"
rm -rf /tmp/*"#;

/// The check, as somebody whom the image does not know, with nothing to read.
const CHECK: &str = r#"mkdir /tmp/home; export HOME=/tmp/home
timeout 120 "$@" </dev/null || { echo "the check failed: $* ended with $?" >&2; exit 1; }
rm -rf /tmp/* 2>/dev/null || :"#;

fn render(tool: &str, command: &[String], rules: &InstallRules) -> String {
    let mut text = DOCKERFILE.split_once(END_OF_COMMON).map_or(DOCKERFILE, |(common, _)| common).to_owned();
    if let Some(base) = &rules.base {
        text = text.replacen(BASE, &format!("\nARG BASE={base}\n"), 1);
    }
    text.push_str(END_OF_COMMON);
    text.push_str(&format!("LABEL ai.tool.{tool}={:?}\nARG NPM_CONFIG_REGISTRY\nARG PIP_INDEX_URL\n", rules.version()));
    // Words of a manifest are arguments, never text of a shell; only `run` is that by its nature.
    let mut step = |script: &str, words: &[&str]| {
        let argv: Vec<&str> = ["/bin/sh", "-ec", script, "sh"].iter().chain(words).copied().collect();
        text.push_str(&format!("RUN {}\n", serde_json::json!(argv)));
    };
    if !rules.apt.is_empty() {
        step(APT, &rules.apt.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if let Some(npm) = &rules.npm {
        step(NPM, &[npm, rules.integrity.as_deref().unwrap_or_default()]);
    }
    if let Some(pip) = &rules.pip {
        step(PIP, &[&format!("/opt/{tool}"), pip]);
    }
    if !rules.url.is_empty() {
        let mut args = vec![tool];
        for (machine, debian) in MACHINES {
            args.extend(rules.url.get(machine).iter().flat_map(|download| [debian, &download.from, &download.sha256]));
        }
        step(URL, &args);
    }
    for line in &rules.run {
        step(&format!("export HOME=/tmp/home; trap 'rm -rf /tmp/*' EXIT\n{line}"), &[]);
    }
    let usual = command.first().map(|program| vec![program.clone(), "--version".into()]).unwrap_or_default();
    let check = if rules.check.is_empty() { &usual } else { &rules.check };
    let argv: Vec<&str> = ["/bin/sh", "-ec", CHECK, "sh"].into_iter().chain(check.iter().map(String::as_str)).collect();
    text.push_str(&format!("USER 1000:1000\nRUN {}\nUSER root\n", serde_json::json!(argv)));
    text.push_str(&sbom::step(&installed_image(tool)));
    text.push_str("ENV HOME=/home/ai\nENTRYPOINT [\"as-job\"]\nCMD [\"bash\"]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // TO-01: whatever a manifest says is an argument of a step, and no step is text of it but a line of `run`.
    #[test]
    fn every_step_is_a_vector_and_the_first_stage_is_the_shared_one() {
        let rules = toml::from_str("apt = ['fd-find']\nnpm = '@x/y@1.0.0'\npip = 'z==2.0'\nrun = [\"echo 'a b'\"]\n[url.arm64]\nfrom = 'https://x.example/y.tgz'\nsha256 = 'aa'").unwrap();
        let image = InstalledImage::new("mine", &["mine".into()], rules);
        let (common, own) = image.dockerfile.split_once(END_OF_COMMON).unwrap();
        assert!(DOCKERFILE.starts_with(common) && common.contains("AS common") && !common.contains("CLAUDE_VERSION}"), "{common}");
        let steps: Vec<Vec<String>> =
            own.lines().filter_map(|line| line.strip_prefix("RUN ")).map(|step| serde_json::from_str(step).unwrap()).collect();
        let (bill, steps) = steps.split_last().unwrap();
        assert_eq!(bill.last().unwrap(), "ai-tool-mine:1");
        let words: Vec<&[String]> = steps.iter().map(|step| &step[4..]).collect();
        assert_eq!(
            words,
            [
                &["fd-find"][..],
                &["@x/y@1.0.0", ""],
                &["/opt/mine", "z==2.0"],
                &["mine", "arm64", "https://x.example/y.tgz", "aa"],
                &[],
                &["mine", "--version"]
            ]
        );
        assert!(steps[4][2].ends_with("echo 'a b'"));
        let on = InstallRules { base: Some("node:22-trixie-slim".into()), ..image.rules.clone() };
        let on = InstalledImage::new("mine", &["mine".into()], on);
        assert_eq!(on.dockerfile, image.dockerfile.replace("ARG BASE=node:22-bookworm-slim\n", "ARG BASE=node:22-trixie-slim\n"));
        assert_ne!(on.recipe(), image.recipe());
        assert!(own.contains("LABEL ai.tool.mine=\"1.0.0\"\n") && own.contains("USER 1000:1000\nRUN "), "{own}");
    }

    #[test]
    fn the_shared_tools_are_those_of_the_dockerfile() {
        let packages: Vec<_> = shared_tools().into_iter().map(|(tool, _)| shared_package(tool)).collect();
        assert_eq!(packages, [Some("@google/gemini-cli"), Some("@openai/codex"), Some("@anthropic-ai/claude-code")]);
        assert!(shared_tools().iter().all(|(_, version)| version.split('.').count() == 3), "{:?}", shared_tools());
        assert_eq!(shared_package("uv"), None);
    }

    #[test]
    fn names_of_images_say_whose_they_are() {
        assert_eq!(installed_tool(&installed_image("pi")), Some("pi"));
        for (image, expected) in
            [("ai-tools:1", true), ("ai-tool-pi:1", true), ("ai-made:12", true), ("ai-mades:1", false), ("x/ai-tool-pi:1", false)]
        {
            assert_eq!(is_ours(image), expected, "{image}");
        }
    }
}
