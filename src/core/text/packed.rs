//! Texts that come with the program and are seldom wanted: the topics of `ai help`, manifests as people read them, prices. `build.rs`
//! packs them into one, with Zstandard.

use std::io::Read;
use std::sync::OnceLock;

use ruzstd::decoding::StreamingDecoder;

const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/texts.zst"));
/// The name of each text's file, and where it begins and ends in what is packed.
const INDEX: &[(&str, usize, usize)] = include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// Returns the text of this name; nothing where there is none.
pub fn text(name: &str) -> &'static str {
    static TEXTS: OnceLock<String> = OnceLock::new();
    let found = INDEX.iter().find(|(known, ..)| *known == name);
    found.and_then(|(_, begin, end)| TEXTS.get_or_init(unpack).get(*begin..*end)).unwrap_or_default()
}

fn unpack() -> String {
    let mut text = String::new();
    // What the build packed can be unpacked: a test does so.
    let read = StreamingDecoder::new(PACKED).ok().and_then(|mut decoder| decoder.read_to_string(&mut text).ok());
    read.map_or_else(String::new, |_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_what_comes_out() {
        for (name, written) in [
            ("config.txt", include_str!("../help/config.txt")),
            ("claude.toml", include_str!("../tool/claude.toml")),
            ("kimi.toml", include_str!("../tool/more/kimi.toml")),
            ("prices.toml", include_str!("../ledger/prices.toml")),
            ("sbom.js", include_str!("../../../templates/sbom.js")),
        ] {
            assert_eq!(text(name), written, "{name}");
        }
        assert!(INDEX.iter().all(|(name, ..)| !text(name).is_empty() && INDEX.iter().filter(|(other, ..)| other == name).count() == 1));
        assert_eq!(text("nothing"), "");
    }
}
