//! Whether a program of the host can be run in a container of any image: one for Linux that needs no library of its image.

/// Bytes from the front of a program that are enough to judge it.
pub const HEAD: usize = 4 << 10;

/// Returns whether these are the first bytes of an ELF program without an interpreter (elf(5)).
pub fn is_static(head: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    let number = |at: usize, width: usize| {
        let bytes = head.get(at..at.checked_add(width)?)?;
        Some(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    let kinds = || {
        let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|index| number(offset.checked_add(index.checked_mul(size)?)?, 4)).collect::<Option<Vec<_>>>()
    };
    kinds().is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&(INTERPRETER as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(kinds: &[u32]) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[32] = 64;
        head[54] = 56;
        head[56] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            let mut row = [0; 56];
            row[..4].copy_from_slice(&kind.to_le_bytes());
            head.extend_from_slice(&row);
        }
        head
    }

    #[test]
    fn only_a_program_without_interpreter_can_be_run_anywhere() {
        assert!(is_static(&program(&[1, 1, 2])));
        assert!(!is_static(&program(&[6, 3, 1])), "an interpreter");
        assert!(!is_static(&program(&[])));
        assert!(!is_static(&program(&[1, 1])[..100]), "cut off");
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(b"\xcf\xfa\xed\xfe\x07\0\0\x01"), "macOS");
        assert!(!is_static(b""));
        let mut far = program(&[1]);
        far[32..40].copy_from_slice(&[0xff; 8]);
        assert!(!is_static(&far));
    }
}
