//! Where the store keeps what is known of images.

use std::path::PathBuf;

use crate::core::store::Store;

impl Store {
    /// Returns what is known of the images: versions of the tools in them.
    pub fn images(&self) -> PathBuf {
        self.root().join("images.json")
    }

    /// Returns which images were made for which project.
    pub fn made(&self) -> PathBuf {
        self.root().join("made.json")
    }

    /// Returns the versions of tools that updates chose.
    pub fn versions(&self) -> PathBuf {
        self.root().join("versions.json")
    }

    /// Returns the newest versions of tools, as registries said.
    pub fn newest(&self) -> PathBuf {
        self.root().join("newest.json")
    }

    /// Returns which content an image's name must stand for, by engine.
    pub fn pins(&self) -> PathBuf {
        self.root().join("pins.json")
    }
}
