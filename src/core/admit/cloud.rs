//! Accounts of clouds: which variables and directories of the person's belong to each. Their clients' documentation names them.

use serde::Deserialize;

use crate::core::plan::mount::Access;

/// A cloud or cluster whose account a container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    Aws,
    Gcloud,
    Azure,
    Kube,
}

/// A directory or file of an account, below the home of the person.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    pub below_home: &'static str,
    pub at: &'static str,
    pub access: Access,
}

impl Cloud {
    /// Returns the word for it in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcloud => "gcloud",
            Self::Azure => "azure",
            Self::Kube => "kube",
        }
    }

    /// Returns the variables that the account's clients read.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["AWS_*"],
            Self::Gcloud => &["GOOGLE_CLOUD_*", "GCLOUD_PROJECT", "CLOUDSDK_CORE_*", "CLOUDSDK_COMPUTE_*", "CLOUD_ML_REGION"],
            Self::Azure => &["AZURE_*", "ARM_*"],
            Self::Kube => &["KUBE_*", "HELM_*"],
        }
    }

    /// Returns the variables whose value is the path of a file, which is let in read-only at its own place.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"],
            Self::Gcloud => &["GOOGLE_APPLICATION_CREDENTIALS"],
            Self::Azure => &["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"],
            Self::Kube => &["KUBECONFIG"],
        }
    }

    /// Returns the variables by which a tool is told to go through this cloud.
    pub fn chosen_by(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["CLAUDE_CODE_USE_BEDROCK"],
            Self::Gcloud => &["CLAUDE_CODE_USE_VERTEX"],
            Self::Azure => &["CLAUDE_CODE_USE_FOUNDRY"],
            Self::Kube => &[],
        }
    }

    /// Returns the variables with which a tool that was told so needs no account.
    pub fn instead(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "CLAUDE_CODE_SKIP_BEDROCK_AUTH"],
            Self::Gcloud => &["GOOGLE_APPLICATION_CREDENTIALS", "CLAUDE_CODE_SKIP_VERTEX_AUTH"],
            Self::Azure => &["ANTHROPIC_FOUNDRY_API_KEY", "CLAUDE_CODE_SKIP_FOUNDRY_AUTH"],
            Self::Kube => &[],
        }
    }

    /// Returns the account's directories. What a client writes while it works (tokens of a single sign-on) is writable.
    pub fn pieces(self) -> &'static [Piece] {
        const fn piece(below_home: &'static str, at: &'static str, access: Access) -> Piece {
            Piece { below_home, at, access }
        }
        const AWS: &[Piece] = &[
            piece(".aws", "/home/ai/.aws", Access::ReadOnly),
            piece(".aws/sso/cache", "/home/ai/.aws/sso/cache", Access::ReadWrite),
            piece(".aws/cli/cache", "/home/ai/.aws/cli/cache", Access::ReadWrite),
        ];
        const GCLOUD: &[Piece] = &[piece(".config/gcloud", "/ai/cloud/gcloud", Access::ReadWrite)];
        const AZURE: &[Piece] = &[piece(".azure", "/ai/cloud/azure", Access::ReadWrite)];
        const KUBE: &[Piece] = &[piece(".kube", "/home/ai/.kube", Access::ReadOnly)];
        match self {
            Self::Aws => AWS,
            Self::Gcloud => GCLOUD,
            Self::Azure => AZURE,
            Self::Kube => KUBE,
        }
    }

    /// Returns the variables that lead the clients to the directories, where those are not where they look by themselves.
    pub fn set(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gcloud => &[("CLOUDSDK_CONFIG", "/ai/cloud/gcloud")],
            Self::Azure => &[("AZURE_CONFIG_DIR", "/ai/cloud/azure")],
            Self::Aws | Self::Kube => &[],
        }
    }
}
