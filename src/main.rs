//! `ai`: AI coding assistants in containers that live for exactly one run.

mod sync;

fn main() {}
