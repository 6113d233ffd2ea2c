use super::*;

fn source(path: &str, text: &str) -> ConfigText {
    ConfigText::own(path, text)
}

fn of(tool: &str) -> Scope<'_> {
    Scope { tool, ..Scope::default() }
}

#[track_caller]
fn check_network(sources: &[ConfigText], env: &[(&str, &str)], flag: Option<&str>, value: &str, origin: &str) {
    let env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let flags = Layer { network: flag.map(|flag| Setting::new(flag.into(), Origin::Flag("--network"))), ..Layer::default() };
    let network = Config::new(of("glm"), sources, &env, flags).unwrap().settings.network;
    assert_eq!((network.value.as_str(), network.origin.to_string().as_str()), (value, origin));
}

// O-01
#[test]
fn later_layers_win_and_keep_their_origin() {
    let system = source("/etc/ai/config.toml", "network = 'none'\n");
    let user = source("config.toml", "# mine\nnetwork = 'host'\n[tool.glm]\nnetwork = 'lab'\n");
    check_network(&[], &[], None, "bridge", "default");
    check_network(std::slice::from_ref(&system), &[], None, "none", "/etc/ai/config.toml:1");
    check_network(&[system.clone(), source("config.toml", "\nnetwork = 'host'")], &[], None, "host", "config.toml:2");
    check_network(&[system.clone(), user.clone()], &[], None, "lab", "config.toml:4");
    check_network(&[system.clone(), user.clone()], &[("AI_NETWORK", "x")], None, "x", "$AI_NETWORK");
    check_network(&[system.clone(), user.clone()], &[("AI_NETWORK", "")], None, "lab", "config.toml:4");
    check_network(&[system, user], &[("AI_NETWORK", "x")], Some("y"), "y", "--network");
}

// O-02
#[test]
fn mistakes_are_shown_with_file_line_and_suggestion() {
    let failure =
        Config::new(of("x"), &[source("c.toml", "network = 'a'\nnetwrok = 'b'\n")], &Env::default(), Layer::default()).unwrap_err();
    let text = failure.to_string();
    assert_eq!(failure.kind, Kind::Config);
    assert!(
        text.contains("c.toml") && text.contains("line 2") && text.contains("^^^") && text.ends_with("hint: did you mean `network`?"),
        "{text}"
    );
    let text = Config::new(of("x"), &[source("c.toml", "\nmemory = 'much'\n")], &Env::default(), Layer::default()).unwrap_err().to_string();
    assert!(text.contains("c.toml:2: `much` is no size"), "{text}");
    for (rule, hint) in [("[route]\ntool = 'x'\n", "`[[route]]`"), ("[[route]]\ntool = 'x'\nwrods = ['a']\n", "`words`")] {
        let text = Config::new(of("x"), &[source("c.toml", rule)], &Env::default(), Layer::default()).unwrap_err().to_string();
        assert!(text.contains(&format!("hint: did you mean {hint}?")), "{text}");
    }
    let env = [("AI_WORKSPACE".into(), "sideways".into())].into_iter().collect();
    let text = Config::new(of("x"), &[], &env, Layer::default()).unwrap_err().to_string();
    assert!(text.contains("`sideways` is none of adaptive, named, flat, mirror"), "{text}");
}

#[track_caller]
fn refused(text: &str, env: Option<(&str, &str)>, flags: Layer, expected: &[&str]) {
    let env = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let failure = Config::new(of("glm"), &[source("c.toml", text)], &env, flags).unwrap_err();
    let text = failure.to_string();
    assert!(failure.kind == Kind::Config && expected.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn what_nobody_can_mean_is_refused_with_its_place() {
    for (variable, key, value, quoted) in [
        ("AI_IMAGE", "image", "--privileged", true),
        ("AI_IMAGE", "image", "-v", true),
        ("AI_IMAGE", "image", "a b", true),
        ("AI_NETWORK", "network", "-x", true),
        ("AI_CPUS", "cpus", "0", false),
        ("AI_CPUS", "cpus", "-1", false),
        ("AI_CPUS", "cpus", "nan", false),
        ("AI_CPUS", "cpus", "inf", false),
        ("AI_PIDS", "pids", "0", false),
        ("AI_ENGINE_CPUS", "engine_cpus", "0", false),
    ] {
        refused(
            "",
            Some((variable, value)),
            Layer::default(),
            &[&format!("cannot use `{variable}`: `"), &format!("hint: unset {variable}")],
        );
        let value = if quoted { format!("'{value}'") } else { value.to_owned() };
        let hint = "hint: ai help config";
        refused(&format!("\n{key} = {value}\n"), None, Layer::default(), &["cannot use c.toml:2: `", hint]);
        refused(&format!("[tool.glm]\n{key} = {value}\n"), None, Layer::default(), &["cannot use c.toml:2: `", hint]);
    }
    refused("image = ''", None, Layer::default(), &["cannot use c.toml:1: `` is no name"]);
    let image = Some(Setting::new(Some(ImageChoice::Named("-v".into())), Origin::Flag("--image")));
    refused("", None, Layer { image, ..Layer::default() }, &["cannot use --image: `-v` is no name", "hint: ai help run"]);
    let pids = Some(Setting::new(Some(0), Origin::Flag("--pids")));
    refused("", None, Layer { pids, ..Layer::default() }, &["cannot use --pids: `0`"]);
}

#[test]
fn a_section_that_is_nearly_a_tools_is_refused() {
    let config = |text: &str| Config::new(of("glm"), &[source("c.toml", text)], &Env::default(), Layer::default()).unwrap();
    let names = ["claude".to_owned(), "glm".to_owned()];
    let text = config("keep = true\n[tool.claud]\nkeep = true\n").refuse_misspelt(&names).unwrap_err().to_string();
    assert_eq!(text, "cannot use c.toml:2: there is no tool `claud`\n\nhint: did you mean `[tool.claude]`?");
    let other = config("[tool.glm]\n[tool.exec]\n[tool.laboratory]\n");
    assert!(other.refuse_misspelt(&names).is_ok());
    assert_eq!(other.unknown_sections(&names).map(|section| section.value.as_str()).collect::<Vec<_>>(), ["laboratory"]);
}
