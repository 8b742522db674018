//! The kernel's own policies, part of this crate.

use crate::bundle::Bundle;

const FILES: [(&str, &str); 5] = [
    ("kernel.cedarschema", include_str!("../policies/kernel.cedarschema")),
    ("kernel-identity.cedar", include_str!("../policies/kernel-identity.cedar")),
    ("kernel-log.cedar", include_str!("../policies/kernel-log.cedar")),
    ("kernel-people.cedar", include_str!("../policies/kernel-people.cedar")),
    ("kernel-sessions.cedar", include_str!("../policies/kernel-sessions.cedar")),
];

/// The policies of the log, the sessions, the identities and the people, to which an application merges its own.
#[must_use]
pub fn kernel() -> Bundle {
    // The names are constants that a test checks, so there is nothing to refuse here.
    Bundle::new(FILES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_is_whole_and_loads() {
        assert_eq!(super::kernel().files().count(), super::FILES.len());
        crate::Policies::load(&super::kernel()).unwrap();
    }
}
