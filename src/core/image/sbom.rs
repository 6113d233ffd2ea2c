//! The bill of materials that every image has which is built here.

use crate::core::text::packed;

/// Where it is in the image.
pub const SBOM: &str = "/usr/share/ai/sbom.json";

/// Returns the last step of a build. An image without a bill is as good as any other: what failed is said while it is built, and
/// whenever the bill is asked for.
pub fn step(image: &str) -> String {
    let line = "node -e \"$1\" \"$2\" || echo 'this image has no bill of materials' >&2";
    format!("RUN {}\n", serde_json::json!(["/bin/sh", "-c", line, "sh", packed::text("sbom.js"), image]))
}
