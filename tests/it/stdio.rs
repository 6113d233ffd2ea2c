//! Streams, the terminal and exit codes, through each shell's function.

use crate::bed::{Bed, Image};
use crate::sandbox::Sandbox;
use crate::shells::Shell;

const CODES: [i32; 6] = [0, 1, 2, 42, 130, 137];

// D-04, Z-082
#[test]
fn the_code_of_the_tool_is_the_code_of_the_function() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for code in CODES {
            let outcome = sandbox.shell(shell, "claude hello").env("FAKE_ENGINE_DO", format!("exit {code}")).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (code, ""), "{shell:?}");
        }
    }
}

// D-04, Z-082
#[test]
fn the_code_of_the_tool_survives_a_real_engine() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for shell in Shell::all() {
        for code in CODES {
            let outcome = bed.shell(shell, &format!("gexec sh -c 'exit {code}'")).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (code, ""), "{shell:?}");
        }
    }
    bed.nothing_left();
}
