//! `ai open-page URL`, in the container: what `BROWSER` names there.

use clap::Args;

use crate::core::failure::Result;
use crate::host::guard::open;

#[derive(Debug, Args)]
pub struct OpenPageArgs {
    #[arg(required_unless_present = "wait", allow_hyphen_values = true)]
    pub url: Option<String>,
    /// Wait for what comes back to this port
    #[arg(long, value_name = "PORT")]
    pub wait: Option<u16>,
}

pub fn run(page: &OpenPageArgs) -> Result<u8> {
    if let Some(port) = page.wait {
        return open::wait(port).map(|()| 0);
    }
    page.url.as_deref().map_or(Ok(()), open::open).map(|()| 0)
}
