//! What one cell may use. The host enforces the sizes and the time; the kernel enforces memory and processor time.

use std::{ffi::OsString, time::Duration};

/// The bounds of one cell. Passed to the cell in its argument list, so that both sides hold the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory that can be written, in bytes: the heap and the program's own variables. The pack does not count.
    pub memory_bytes: u64,
    /// Processor time over the whole life of the cell, in seconds.
    pub cpu_seconds: u64,
    /// The longest question, in bytes.
    pub question_bytes: u32,
    /// The longest answer, in bytes.
    pub answer_bytes: u32,
    /// How long one question may take, from asking to the last byte of the answer. The host's clock.
    pub wall: Duration,
}

impl Default for Limits {
    /// 256 MiB, 60 s of processor time, 1 MiB each way, 10 s for an answer.
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu_seconds: 60,
            question_bytes: 1 << 20,
            answer_bytes: 1 << 20,
            wall: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The arguments that follow `cell`.
    pub(crate) fn to_arguments(self, parent: u32) -> [String; 5] {
        [
            self.memory_bytes.to_string(),
            self.cpu_seconds.to_string(),
            self.question_bytes.to_string(),
            self.answer_bytes.to_string(),
            parent.to_string(),
        ]
    }

    /// The inverse of [`Limits::to_arguments`]: the limits and the parent's process id. The wall time stays with the host.
    pub(crate) fn from_arguments(arguments: &[OsString]) -> Option<(Self, u32)> {
        let [memory, cpu, question, answer, parent] = arguments else { return None };
        let number = |word: &OsString| word.to_str()?.parse::<u64>().ok();
        let limits = Self {
            memory_bytes: number(memory)?,
            cpu_seconds: number(cpu)?,
            question_bytes: u32::try_from(number(question)?).ok()?,
            answer_bytes: u32::try_from(number(answer)?).ok()?,
            wall: Duration::MAX,
        };
        Some((limits, u32::try_from(number(parent)?).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_argument_list() {
        let words: Vec<OsString> = Limits::default().to_arguments(42).into_iter().map(OsString::from).collect();
        let (read, parent) = Limits::from_arguments(&words).unwrap();
        assert_eq!((read.memory_bytes, read.answer_bytes, parent), (256 << 20, 1 << 20, 42));
        assert!(Limits::from_arguments(&words[1..]).is_none());
        let mut wrong = words;
        wrong[3] = OsString::from("4294967296");
        assert!(Limits::from_arguments(&wrong).is_none(), "an answer limit beyond 32 bits is refused");
    }
}
