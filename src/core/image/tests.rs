use std::path::Path;

use super::*;

fn recipe(text: &str) -> Result<ImageRecipe, String> {
    let table: BTreeMap<String, ImageChoice> = toml::from_str(text).map_err(|error| error.to_string())?;
    let recipe = table["image"].recipe().cloned().ok_or("it has a name")?;
    ImageChoice::Made(Box::new(recipe.clone())).check().map(|()| recipe)
}

fn file(text: &str) -> Found {
    Found::File(SourceFile { bytes: text.into(), is_executable: false })
}

const ROOT: &str = "/home/u/proj";

/// Answers what is wanted from `there`, by path below the project, until all is known.
fn defined(text: &str, there: &[(&str, &str)]) -> Result<Definition, String> {
    let recipe = recipe(text)?;
    let bases = RecipeBases { root: Path::new(ROOT), home: None };
    let mut files = ImageFiles::default();
    for _ in 0..8 {
        let wanted = match define(&recipe, bases, &files) {
            Definitive::Defined(definition) => return Ok(*definition),
            Definitive::Fails(why) => return Err(why),
            Definitive::Needs(wanted) => wanted,
        };
        assert!(!wanted.is_empty());
        for wanted in wanted {
            let (WantedSource::File(path) | WantedSource::Tree { path, .. }) = wanted;
            assert!(!files.0.contains_key(&path), "{} is asked for twice", path.display());
            let of = there.iter().map(|(name, text)| (Path::new(ROOT).join(name), text)).filter(|(name, _)| name.starts_with(&path));
            let found: Vec<_> = of.map(|(name, text)| (name, file(text))).collect();
            files.0.insert(path, Found::Absent);
            files.0.extend(found);
        }
    }
    Err("it is never done".into())
}

// NE-08, O-02
#[test]
fn what_no_builder_could_mean_is_refused() {
    for (text, why) in [
        ("image = {}", "needs one of"),
        ("image = { devcontainer = false }", "needs one of"),
        ("image = { from = 'a', dockerfile = 'b' }", "begins with one of"),
        ("image = { context = '.' , apt = ['gcc'] }", "needs a `dockerfile`"),
        ("image = { from = '-v' }", "no name"),
        ("image = { from = 'a\\nRUN b' }", "`a\\nRUN b`"),
        ("image = { from = \"a\\nRUN b\" }", "no name"),
        ("image = { from = '$X' }", "no image"),
        ("image = { from = 'scratch' }", "no image"),
        ("image = { apt = ['-o=x'] }", "no package"),
        ("image = { apt = ['a;b'] }", "no package"),
        ("image = { apt = ['$(id)'] }", "no package"),
        ("image = { dockerfile = 'D', target = '-x' }", "no stage"),
        ("image = { dockerfile = 'D', args = { '-x' = '' } }", "no build argument"),
        ("image = { atp = ['gcc'] }", "unknown field `atp`"),
        ("image = 3", "the name of an image, or a table"),
        ("image = { devcontainer = 3 }", "true, or the path"),
    ] {
        let failure = recipe(text).and_then(|recipe| define_now(&recipe)).unwrap_err();
        assert!(failure.contains(why) || failure.contains("image"), "{text}: {failure}");
        assert!(failure.contains(why) || why.starts_with("`a"), "{text}: {failure}");
    }
    for text in [
        "image = { apt = ['g++', 'libc6-dev:amd64', 'gcc=4:12.2.0-3'] }",
        "image = { run = ['a\\nb'] }",
        "image = { devcontainer = 'x/devcontainer.json' }",
    ] {
        recipe(text).unwrap();
    }
}

fn define_now(recipe: &ImageRecipe) -> Result<ImageRecipe, String> {
    match define(recipe, RecipeBases { root: Path::new(ROOT), home: None }, &ImageFiles::default()) {
        Definitive::Fails(why) => Err(why),
        _ => Ok(recipe.clone()),
    }
}

// NE-08
#[test]
fn what_a_dockerfile_takes_is_asked_for_and_nothing_else() {
    let there = [
        ("docker/Dockerfile", "FROM a:1\nCOPY conf /etc\nCOPY x.sh /"),
        ("docker/conf/a", "1"),
        ("docker/x.sh", "2"),
        ("docker/other", "3"),
        ("secret", "4"),
    ];
    let definition = defined("image = { dockerfile = 'docker/Dockerfile', args = { A = 'b' } }", &there).unwrap();
    let below = definition.below.unwrap();
    let paths: Vec<_> = below.files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    assert_eq!(paths, ["Dockerfile", "conf/a", "x.sh"]);
    assert_eq!((below.context.to_str(), definition.bases.as_slice()), (Some(""), &["a:1".to_owned()][..]));
    // A context above it.
    let definition =
        defined("image = { dockerfile = 'docker/Dockerfile', context = '.' }", &[there[0], ("conf/a", "1"), ("x.sh", "2")]).unwrap();
    let below = definition.below.unwrap();
    assert_eq!((below.dockerfile.to_str(), below.context.to_str()), (Some("docker/Dockerfile"), Some("")));
    assert!(below.files.iter().any(|(path, _)| path == Path::new("conf/a")));
}

// NE-08, Z-026
#[test]
fn a_project_names_nothing_outside_of_itself() {
    for text in [
        "image = { dockerfile = '../D' }",
        "image = { dockerfile = '/etc/passwd' }",
        "image = { dockerfile = '~/D' }",
        "image = { dockerfile = 'D', context = '..' }",
        "image = { devcontainer = '../x.json' }",
    ] {
        let why = defined(text, &[("D", "FROM a"), ("~/D", "FROM a")]);
        assert!(text.contains("~/") || why.unwrap_err().contains("outside of the project"), "{text}");
    }
    let up = r#"{"build": {"dockerfile": "../../D"}}"#;
    assert!(defined("image = { devcontainer = true }", &[(".devcontainer.json", up)]).unwrap_err().contains("outside of the project"));
    // A path that leads up in a Dockerfile is the whole context, of which the builder finds nothing more.
    let there = [("D", "FROM a\nCOPY ../../etc/passwd /"), ("b", "1")];
    let below = defined("image = { dockerfile = 'D' }", &there).unwrap().below.unwrap();
    assert_eq!(below.files.len(), 2);
}

// NE-08
#[test]
fn a_devcontainer_is_its_image_or_its_build() {
    let is = |there: &[(&str, &str)]| defined("image = { devcontainer = true, apt = ['gcc'] }", there);
    let named = is(&[(".devcontainer.json", r#"{"image": "a:1", "forwardPorts": [3000], "postCreateCommand": "make"}"#)]).unwrap();
    assert_eq!((named.from.as_deref(), named.admitted.publish.len(), named.apt.len(), named.after.len()), (Some("a:1"), 1, 1, 1));
    let (file, dockerfile) = (".devcontainer/devcontainer.json", (".devcontainer/Dockerfile", "FROM a:2"));
    let built = is(&[(file, r#"{"build": {"dockerfile": "Dockerfile"}}"#), dockerfile, (".devcontainer.json", "{")]).unwrap();
    assert!(built.below.is_some() && built.bases == ["a:2"]);
    assert!(
        is(&[(file, r#"{"build": {"dockerfile": "Dockerfile"}}"#)])
            .unwrap_err()
            .contains("there is no `/home/u/proj/.devcontainer/Dockerfile`")
    );
    assert!(is(&[]).unwrap_err().contains("there is no"));
    assert!(is(&[(file, r#"{"image": "$(id) x"}"#)]).unwrap_err().contains("no name"));
    let features = [(file, r#"{"image": "a:1", "features": {"./f": {}}}"#), (".devcontainer/f/install.sh", "x")];
    let below = is(&features).unwrap().below.unwrap();
    let paths: Vec<_> = below.files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    assert_eq!((paths.as_slice(), below.features.as_deref()), (&[file, ".devcontainer/f/install.sh"][..], Some(Path::new(file))));
}

fn name(text: &str, there: &[(&str, &str)], content: Option<&str>) -> String {
    MadeImage::new(defined(text, there).unwrap(), "ai-tools:1", content).name
}

// NE-08
#[test]
fn the_name_says_what_it_is_made_from_and_nothing_else() {
    let there = [("D", "FROM a\nCOPY x /"), ("x", "1")];
    let text = "image = { dockerfile = 'D' }";
    let first = name(text, &there, Some("sha256:1"));
    assert_eq!(first, name(text, &[there[0], there[1], ("y", "2")], Some("sha256:1")), "a file that is not copied is of no matter");
    for (text, there, content) in [
        (text, [("D", "FROM a\nCOPY x /\n"), there[1]], Some("sha256:1")),
        (text, [there[0], ("x", "2")], Some("sha256:1")),
        (text, there, Some("sha256:2")),
        (text, there, None),
        ("image = { dockerfile = 'D', apt = ['gcc'] }", there, Some("sha256:1")),
        ("image = { dockerfile = 'D', run = ['true'] }", there, Some("sha256:1")),
        ("image = { dockerfile = 'D', args = { A = 'b' } }", there, Some("sha256:1")),
        ("image = { dockerfile = 'D', target = 'b' }", there, Some("sha256:1")),
    ] {
        assert_ne!(first, name(text, &there, content), "{text} {there:?} {content:?}");
    }
    assert_eq!(name("image = { apt = ['a'] }", &[], None), name("image = { apt = ['a'] }", &there, None));
}

#[test]
fn a_line_is_one_step_whatever_is_in_it_and_the_networks_authorities_make_no_other_image() {
    let definition = defined("image = { from = 'a', run = [\"echo 'x'\\nRUN y \\\\\"], apt = ['b', 'c'] }", &[]).unwrap();
    let made = MadeImage::new(definition, "ai-tools:1", None);
    let text = made.dockerfile(&[]);
    assert!(text.contains(r#"RUN ["/bin/sh","-ec","echo 'x'\nRUN y \\"]"#) && text.contains("--no-install-recommends b c &&"), "{text}");
    assert!(text.starts_with("FROM ai-tools:1 AS ") && text.contains("\nFROM a\nUSER root\n") && !text.contains("authorities"), "{text}");
    let trusting = made.dockerfile(&["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()]);
    assert!(trusting.contains("USER root\n\n# The certificate") && trusting.contains("'AAAA'"), "{trusting}");
    let on_tools = MadeImage::new(defined("image = { run = ['true'] }", &[]).unwrap(), "ai-tools:1", Some("sha256:1"));
    let text = on_tools.dockerfile(&[]);
    let own = "# ai-tools:1 is sha256:1\nFROM ai-tools:1\nUSER root\nRUN [\"/bin/sh\",\"-ec\",\"true\"]\n";
    assert_eq!(text.strip_suffix(&sbom::step(MADE)), Some(own), "{text}");
}
