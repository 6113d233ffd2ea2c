//! Certificate authorities in the build of an image, which has no files of the host.

use std::borrow::Cow;

use crate::core::text::base64;

/// Most bytes of certificates in one step: a command line has a limit of 128 KiB.
const STEP: usize = 60_000;

/// Bytes of a bundle that are looked at before the rest.
const BEGINNING: usize = 8 << 10;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Returns the certificates of a bundle, one text each, without what stands around them.
pub fn certificates(bundle: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in each(bundle) {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Finds the certificates of a bundle one by one: every run asks whether there is any, of a file with a hundred and more.
fn each(bundle: &str) -> impl Iterator<Item = String> {
    let is_plain =
        |line: &&str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let bodies = bundle.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END)).map(|(body, _)| body);
    bodies.filter_map(move |body| {
        let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        (!lines.is_empty() && lines.iter().all(is_plain)).then(|| format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")))
    })
}

/// Returns a file of authorities as programs read it; `None` if it holds no certificate. One certificate in binary form (DER), as
/// Windows and browsers write it, is put into words.
pub fn pem(file: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let [0x30, 0x82, high, low, rest @ ..] = file
        && usize::from(*high) << 8 | usize::from(*low) == rest.len()
    {
        let text = base64::encode(file);
        let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        return Some(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")).into_bytes().into());
    }
    let is_one = |text: &str| each(text).next().is_some() || text.contains("-----BEGIN TRUSTED CERTIFICATE-----");
    // Most have one at their beginning, and then the rest need not be looked at.
    let beginning = String::from_utf8_lossy(file.get(..BEGINNING).unwrap_or(file));
    (is_one(&beginning) || file.len() > BEGINNING && is_one(&String::from_utf8_lossy(file))).then_some(Cow::Borrowed(file))
}

/// Returns a Dockerfile in which the steps of `dockerfile` trust these certificates beside those of its base image.
pub fn trusting(dockerfile: &str, certificates: &[String]) -> String {
    const BASE: &str = "\nFROM ${BASE} AS common\n";
    let steps = steps(certificates);
    match dockerfile.split_once(BASE).filter(|_| !steps.is_empty()) {
        Some((before, after)) => format!("{before}{BASE}{steps}{after}"),
        None => format!("{dockerfile}{steps}"),
    }
}

/// Returns the steps of a Dockerfile after which all others trust these certificates.
pub fn steps(certificates: &[String]) -> String {
    if certificates.is_empty() {
        return String::new();
    }
    let mut steps =
        String::from("\n# The certificate authorities of this machine's network. Only steps of this build read these arguments.\n");
    for name in ["NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"] {
        steps.push_str(&format!("ARG {name}=/etc/ssl/certs/ca-certificates.crt\n"));
    }
    for (step, some) in chunks(certificates).into_iter().enumerate() {
        let lines: String = some.iter().map(|certificate| format!(" '{}'", certificate.trim_end().replace('\n', "' '"))).collect();
        let file = format!("/usr/local/share/ca-certificates/ai-{step}.crt");
        steps.push_str(&format!(
            "RUN mkdir -p /usr/local/share/ca-certificates /etc/ssl/certs && printf '%s\\n'{lines} > {file} \\\n && cat {file} >> /etc/ssl/certs/ca-certificates.crt\n"
        ));
    }
    steps
}

fn chunks(certificates: &[String]) -> Vec<Vec<&String>> {
    let mut chunks: Vec<Vec<&String>> = Vec::new();
    let mut size = STEP;
    for certificate in certificates {
        if size + certificate.len() > STEP {
            chunks.push(Vec::new());
            size = 0;
        }
        size += certificate.len();
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(certificate);
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(letter: char) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n{}==\n-----END CERTIFICATE-----\n", letter.to_string().repeat(64), letter)
    }

    #[test]
    fn a_bundle_is_taken_apart_and_nothing_else_is_believed() {
        let bundle = format!(
            "# Company\r\n{}subject=x\n{}{}-----BEGIN CERTIFICATE-----\n$(id)'\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA",
            certificate('A').replace('\n', "\r\n"),
            certificate('B'),
            certificate('A')
        );
        assert_eq!(certificates(&bundle), [certificate('A'), certificate('B')]);
        assert!(certificates("").is_empty() && certificates("no certificate").is_empty());
    }

    // NE-03
    #[test]
    fn a_file_of_authorities_holds_certificates_in_one_form_or_the_other() {
        let text = certificate('A');
        assert_eq!(pem(text.as_bytes()).as_deref(), Some(text.as_bytes()));
        let mut der = vec![0x30, 0x82, 1, 0];
        der.extend([7; 256]);
        let words = String::from_utf8(pem(&der).unwrap().into_owned()).unwrap();
        assert_eq!(certificates(&words), [words.as_str()]);
        assert_eq!(base64::decode(&words.lines().filter(|line| !line.starts_with('-')).collect::<String>()), Some(der.clone()));
        let late = format!("{}{text}", "# what it is for\n".repeat(1_000));
        assert_eq!(pem(late.as_bytes()).as_deref(), Some(late.as_bytes()));
        der.push(0);
        for nothing in [
            &b""[..],
            b"hello",
            b"-----BEGIN CERTIFICATE-----\nAAAA",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            &der,
        ] {
            assert_eq!(pem(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn the_steps_come_right_behind_the_base_and_are_short_enough_for_a_command_line() {
        let many: Vec<String> = (0..400).map(|n| certificate('A').replacen("AAAA", &format!("{n:04}"), 1).repeat(9)).collect();
        let text = trusting("ARG BASE=x\nFROM ${BASE} AS common\nRUN true\n", &many);
        assert!(text.starts_with("ARG BASE=x\nFROM ${BASE} AS common\n\n# The certificate") && text.ends_with("RUN true\n"), "{text}");
        assert!(text.lines().all(|line| line.len() < 100_000) && text.matches("RUN mkdir").count() > 3);
        assert_eq!(trusting("FROM x", &[]), "FROM x");
    }
}
