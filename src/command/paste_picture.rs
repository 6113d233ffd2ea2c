//! `ai paste-picture WORDS…`, in the container: what `xclip` and `wl-paste` are there.

use std::ffi::OsString;

use clap::Args;

use crate::core::failure::Result;
use crate::host::guard::clipboard;
use crate::host::output;

#[derive(Debug, Args)]
pub struct PasteArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

pub fn run(paste: &PasteArgs) -> Result<u8> {
    output::exact(&clipboard::paste(&paste.words)?)?;
    Ok(0)
}
