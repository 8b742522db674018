//! The processes of a panel: their names, executables and identities.

use bodh_clinical::Member;

/// The services that are not members, in the order in which they are needed.
pub(crate) const GUARDIAN: &str = "guardian";
/// The record.
pub(crate) const AUDIT: &str = "audit";
/// The panel at work.
pub(crate) const ORCHESTRATOR: &str = "orchestrator";

/// The pages.
pub(crate) const CONSOLE: &str = "console";

/// One process of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// `guardian`, `audit`, `orchestrator`, `console`, or a member's name.
    pub(crate) name: &'static str,
    /// An agent and not a service.
    pub(crate) is_agent: bool,
}

impl Process {
    /// All of them, in the order in which they are needed.
    pub(crate) fn all() -> Vec<Process> {
        let service = |name| Process { name, is_agent: false };
        let mut all = vec![service(GUARDIAN), service(AUDIT)];
        all.extend(Member::ALL.map(|member| Process { name: member.name(), is_agent: true }));
        all.push(service(ORCHESTRATOR));
        all.push(service(CONSOLE));
        all
    }

    /// Those of a panel; the console only where somebody may look at it.
    pub(crate) fn of_panel(with_console: bool) -> Vec<Process> {
        Self::all().into_iter().filter(|process| with_console || process.name != CONSOLE).collect()
    }

    /// The file beside our own executable.
    pub(crate) fn executable(self) -> String {
        format!("bodh-{}", self.name.replace('_', "-"))
    }

    /// Its SPIFFE id in a trust domain.
    pub(crate) fn spiffe_id(self, trust_domain: &str) -> String {
        format!("spiffe://{trust_domain}/{}/{}", if self.is_agent { "agent" } else { "service" }, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_contract() {
        let names: Vec<_> = Process::all().into_iter().map(Process::executable).collect();
        assert_eq!(names.first().map(String::as_str), Some("bodh-guardian"));
        assert!(names.contains(&"bodh-reasoning-verifier".to_owned()) && names.len() == 10);
        assert!(Process::of_panel(false).iter().all(|process| process.name != CONSOLE));
        let verifier = Process { name: "reasoning_verifier", is_agent: true };
        assert_eq!(verifier.spiffe_id("bodh.internal"), "spiffe://bodh.internal/agent/reasoning_verifier");
    }
}
