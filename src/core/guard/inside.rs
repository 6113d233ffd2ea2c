//! Whether a program of the host can be run in a container of any image: one for Linux that needs no library of its image.

/// Bytes from the front of a program that are enough to judge it.
pub const HEAD: usize = 4 << 10;

/// Returns whether these are the first bytes of an ELF program of 64 bits that nothing else loads.
pub fn is_static(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF\x02") && loader_at(head) == Some(None)
}

/// Returns where an ELF program names what loads it (elf(5)): the offset and how many bytes; `Some(None)` where nothing does, `None` where
/// these are not the first bytes of a program.
pub fn loader_at(head: &[u8]) -> Option<Option<(usize, usize)>> {
    const INTERPRETER: usize = 3;
    let number = |at: usize, width: usize| {
        let bytes = head.get(at..at.checked_add(width)?)?;
        Some(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    // Fields of addresses, and all behind them, have other places in programs of 32 bits.
    let (width, rows, size) = match head.strip_prefix(b"\x7fELF")? {
        [2, 1, ..] => (8, 32, 54),
        [1, 1, ..] => (4, 28, 42),
        _ => return None,
    };
    let (rows, size, count) = (number(rows, width)?, number(size, 2)?, number(size + 2, 2)?);
    let mut found = (count > 0).then_some(None);
    for index in 0..count {
        let row = rows.checked_add(index.checked_mul(size)?)?;
        if number(row, 4)? == INTERPRETER {
            found = Some(Some((number(row.checked_add(width)?, width)?, number(row.checked_add(4 * width)?, width)?)));
        }
    }
    found
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
        assert!(!is_static(&[&b"\x7fELF\x01"[..], &program(&[1])[5..]].concat()), "32 bits");
        let mut far = program(&[1]);
        far[32..40].copy_from_slice(&[0xff; 8]);
        assert!(!is_static(&far));
    }
}
