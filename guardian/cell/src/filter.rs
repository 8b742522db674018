//! System-call filters (seccomp): a deny-list for hosts, an allow-list for cells.
//!
//! On a system call of a foreign architecture the process is killed, in both.

use std::{collections::BTreeMap, io};

use seccompiler::{
    BpfProgram, SeccompAction,
    SeccompCmpArgLen::{self, Dword, Qword},
    SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

mod cell;
mod host;

pub(crate) use cell::confine_cell;
pub(crate) use host::confine_host;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;

/// One comparison of a 32-bit argument. The kernel ignores the upper half of an `int`, so the filter does too.
fn int(argument: u8, operator: SeccompCmpOp, value: i32) -> Result<SeccompCondition, io::Error> {
    compare(argument, Dword, operator, u64::from(value.cast_unsigned()))
}

/// One comparison of a 64-bit argument.
fn long(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, io::Error> {
    compare(argument, Qword, operator, value)
}

fn compare(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, io::Error> {
    SeccompCondition::new(argument, length, operator, value).map_err(io::Error::other)
}

/// A rule that holds when all its conditions do.
fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, io::Error> {
    SeccompRule::new(conditions).map_err(io::Error::other)
}

/// `listed` for what the rules match, `otherwise` for everything else.
fn compile(rules: Rules, listed: SeccompAction, otherwise: SeccompAction) -> io::Result<BpfProgram> {
    let filter = SeccompFilter::new(rules, otherwise, listed, ARCHITECTURE).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

/// Puts a program in force for this thread and all that it will start, for good.
fn enforce(program: &BpfProgram) -> io::Result<()> {
    seccompiler::apply_filter(program).map_err(io::Error::other)
}
