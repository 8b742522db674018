//! The words on the two pipes.
//!
//! A question is `u32 LE length | bytes`. An answer is `u32 LE length | kind | bytes`, where the length counts the kind. Before
//! the first answer a cell writes one [`Banner`], after its sandbox is in force and before it reads: no question is sent to a
//! program that did not say so.

/// The kind of an answer.
pub(crate) const ANSWER: u8 = 0;
/// The kind of a refusal, followed by one code.
pub(crate) const REFUSAL: u8 = 1;
/// What every banner starts with: a name and the version of these frames.
const MAGIC: [u8; 7] = *b"bodhc\x001";

/// A sandboxed cell's first eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Banner {
    /// The landlock ABI in force inside the cell; 0 when the kernel has none and the system-call filter stands alone.
    pub(crate) landlock_abi: u8,
}

impl Banner {
    pub(crate) const LENGTH: usize = MAGIC.len() + 1;

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        bytes[MAGIC.len()] = self.landlock_abi;
        bytes
    }

    pub(crate) fn decode(bytes: [u8; Self::LENGTH]) -> Option<Self> {
        let (magic, rest) = bytes.split_at(MAGIC.len());
        match rest {
            [landlock_abi] if magic == MAGIC => Some(Self { landlock_abi: *landlock_abi }),
            _ => None,
        }
    }
}

/// An answer or a refusal, ready to be written in one piece.
pub(crate) fn reply(outcome: &Result<Vec<u8>, u8>) -> Option<Vec<u8>> {
    let (kind, body) = match outcome {
        Ok(body) => (ANSWER, body.as_slice()),
        Err(code) => (REFUSAL, std::slice::from_ref(code)),
    };
    let length = u32::try_from(body.len()).ok()?.checked_add(1)?;
    let mut frame = Vec::with_capacity(body.len() + 5);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.push(kind);
    frame.extend_from_slice(body);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_of_another_program_is_refused() {
        let banner = Banner { landlock_abi: 7 };
        assert_eq!(Banner::decode(banner.encode()), Some(banner));
        for byte in 0..MAGIC.len() {
            let mut wrong = banner.encode();
            wrong[byte] ^= 1;
            assert_eq!(Banner::decode(wrong), None);
        }
    }

    #[test]
    fn replies_carry_their_length() {
        assert_eq!(reply(&Ok(b"ab".to_vec())).unwrap(), [3, 0, 0, 0, ANSWER, b'a', b'b']);
        assert_eq!(reply(&Err(9)).unwrap(), [2, 0, 0, 0, REFUSAL, 9]);
    }
}
