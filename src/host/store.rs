//! The store on disk: what each part of it holds, and who may touch it when.

pub mod admit;
pub mod consent;
pub mod history;
pub mod hold;
pub mod image;
pub mod kept_run;
pub mod layout;
pub mod lease;
pub mod log;
pub mod login;
pub mod outworn;
pub mod places;
pub mod project;
pub mod secret_files;
pub mod settings;
pub mod state;
pub mod trust;
