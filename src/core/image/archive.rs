//! An image in a file, as `docker save` and `podman save` write it: a tar archive with a `manifest.json`.

use serde_json::Value;

/// Bytes of a block of an archive.
pub const BLOCK: usize = 512;

/// The files that say what is in an archive.
pub const LISTS: [&str; 2] = ["manifest.json", "index.json"];

/// An entry of an archive: its name, how many bytes stand behind its head, and of which kind they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry {
    pub name: String,
    pub size: u64,
    kind: u8,
}

impl ArchiveEntry {
    /// Reads the head of an entry; nothing where it is none, as at the end of an archive.
    pub fn read(head: &[u8; BLOCK]) -> Option<Self> {
        // What stands there sums up to this, its own eight bytes counted as blanks.
        let sum: u64 = head.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
        if octal(&head[148..156])? != sum {
            return None;
        }
        let name = head[..100].split(|byte| *byte == 0).next()?;
        let size = match head[124] & 0x80 {
            0 => octal(&head[124..136])?,
            _ => head[128..136].iter().fold(0, |size, byte| size << 8 | u64::from(*byte)),
        };
        Some(Self { name: String::from_utf8_lossy(name).trim_start_matches(['.', '/']).to_owned(), size, kind: head[156] })
    }

    /// Whether the engine may take it for a list although its name is none: lists are unpacked along paths and links.
    pub fn may_become_list(&self) -> bool {
        !LISTS.contains(&&*self.name) && self.name.rsplit('/').next().is_some_and(|name| LISTS.contains(&name))
    }

    /// Whether what stands behind it can give the next entry another name (`pax(1)`, GNU tar).
    pub fn renames(&self) -> bool {
        matches!(self.kind, b'x' | b'g' | b'L')
    }

    /// Returns the bytes between its head and the next one.
    pub fn padded(&self) -> u64 {
        self.size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(text, 8).ok()
}

/// The images in an archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// As runs will call them.
    pub names: Vec<String>,
    /// As the engine that wrote them did.
    pub spelled: Vec<String>,
    /// Contents of which one is an image's id.
    ids: Vec<String>,
}

impl Archived {
    /// Reads what the archive says of itself.
    pub fn read(manifest: &[u8], index: Option<&[u8]>) -> Option<Self> {
        let images: Vec<Value> = serde_json::from_slice(manifest).ok()?;
        let mut archived = Self::default();
        for image in &images {
            let tags = image["RepoTags"].as_array().into_iter().flatten().filter_map(Value::as_str);
            archived.spelled.extend(tags.map(str::to_owned));
            let config = image["Config"].as_str()?;
            let config = config.rsplit('/').next()?;
            archived.ids.push(config.strip_suffix(".json").unwrap_or(config).to_owned());
        }
        let index: Value = index.and_then(|index| serde_json::from_slice(index).ok()).unwrap_or_default();
        let digests = index["manifests"].as_array().into_iter().flatten().filter_map(|manifest| manifest["digest"].as_str());
        archived.ids.extend(digests.map(|digest| digest.trim_start_matches("sha256:").to_owned()));
        archived.names = archived.spelled.iter().map(|name| plain(name).to_owned()).collect();
        (!archived.names.is_empty()).then_some(archived)
    }

    /// Returns whether an image of this id came from here.
    pub fn holds(&self, id: &str) -> bool {
        self.ids.iter().any(|known| *known == id.trim_start_matches("sha256:"))
    }
}

/// Returns the name of an image without what engines put in front of one that comes from nowhere.
fn plain(name: &str) -> &str {
    ["docker.io/library/", "localhost/"].iter().find_map(|front| name.strip_prefix(front)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, size: &str) -> [u8; BLOCK] {
        let mut head = [0; BLOCK];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..124 + size.len()].copy_from_slice(size.as_bytes());
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        head
    }

    #[test]
    fn the_head_of_an_entry_is_read() {
        let entry = ArchiveEntry::read(&head("./manifest.json", "00000001001")).unwrap();
        assert_eq!((entry.name.as_str(), entry.size, entry.padded()), ("manifest.json", 513, 1024));
        let mut large = head("layer.tar", "");
        large[124] = 0x80;
        large[131] = 1;
        assert_eq!(ArchiveEntry::read(&large), None, "its sum is another");
        let mut odd = head("x", "0000000001");
        odd[0] = b'y';
        for none in [[0; BLOCK], [0xff; BLOCK], odd] {
            assert_eq!(ArchiveEntry::read(&none), None);
        }
    }

    #[test]
    fn an_archive_says_which_images_it_has() {
        let of = |text: &str, index: Option<&str>| Archived::read(text.as_bytes(), index.map(str::as_bytes));
        let old = of(r#"[{"Config":"abc.json","RepoTags":["ai-tools:1"],"Layers":[]}]"#, None).unwrap();
        assert_eq!((old.names.as_slice(), old.holds("sha256:abc"), old.holds("sha256:ab")), (&["ai-tools:1".to_owned()][..], true, false));
        let new = r#"[{"Config":"blobs/sha256/abc","RepoTags":["docker.io/library/ai-tools:1","localhost/evil:1"]}]"#;
        let new = of(new, Some(r#"{"manifests":[{"digest":"sha256:def"}]}"#)).unwrap();
        assert_eq!(new.names, ["ai-tools:1", "evil:1"]);
        assert!(new.holds("sha256:abc") && new.holds("sha256:def"));
        for none in ["", "{}", "[]", r#"[{"RepoTags":["a"]}]"#, r#"[{"Config":"a.json","RepoTags":null}]"#] {
            assert_eq!(of(none, None), None, "{none}");
        }
    }
}
