//! A case file as the gatekeeper of a sequential diagnosis: it tells what is asked for and nothing else.

use bodh_clinical::{Finding, Presence, TermId};

/// How many findings the panel is given to start with.
const OPENING: usize = 2;

/// Findings told at the start, and findings still hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gatekeeper {
    initial: Vec<Finding>,
    hidden: Vec<Finding>,
}

impl Gatekeeper {
    /// Tells the first two findings that are present and `cheap`: needing no laboratory and no imaging. Fewer if there
    /// are fewer; never an expensive or an excluded one in their place.
    #[must_use]
    pub fn new(findings: &[Finding], cheap: impl Fn(&TermId) -> bool) -> Self {
        let mut keeper = Self { initial: Vec::new(), hidden: Vec::new() };
        for finding in findings {
            let opens = keeper.initial.len() < OPENING && finding.presence == Presence::Present && cheap(&finding.term);
            if opens { &mut keeper.initial } else { &mut keeper.hidden }.push(finding.clone());
        }
        keeper
    }

    /// What the panel starts with.
    #[must_use]
    pub fn initial(&self) -> &[Finding] {
        &self.initial
    }

    /// Tells the hidden findings that an order's bundle shows, in the case's order, once.
    pub fn reveal(&mut self, bundle: impl Fn(&TermId) -> bool) -> Vec<Finding> {
        self.hidden.extract_if(.., |finding| bundle(&finding.term)).collect()
    }

    /// How many findings are still hidden.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_clinical::Origin;

    fn finding(n: u32, presence: Presence) -> Finding {
        let term = TermId::parse(&format!("HP:{n:07}")).unwrap();
        Finding { term, label: String::new(), presence, origin: Origin::Coded(n), past: false }
    }

    fn numbers(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.term.as_str()).collect()
    }

    #[test]
    fn two_cheap_present_findings_open_and_the_rest_waits() {
        use Presence::{Excluded, Present};
        let all =
            [finding(1, Excluded), finding(2, Present), finding(3, Present), finding(4, Present), finding(5, Present)];
        let cheap = |t: &TermId| t.as_str() != "HP:0000003";
        let mut keeper = Gatekeeper::new(&all, cheap);
        assert_eq!(numbers(keeper.initial()), ["HP:0000002", "HP:0000004"]);
        assert_eq!(keeper.hidden(), 3);
        let asked = |t: &TermId| matches!(t.as_str(), "HP:0000005" | "HP:0000001" | "HP:0000002");
        assert_eq!(numbers(&keeper.reveal(asked)), ["HP:0000001", "HP:0000005"]);
        assert!(keeper.reveal(asked).is_empty(), "told once");
        assert_eq!(keeper.hidden(), 1);
    }

    #[test]
    fn fewer_when_there_are_fewer() {
        let keeper = Gatekeeper::new(&[finding(1, Presence::Present)], |_| false);
        assert!(keeper.initial().is_empty());
        assert_eq!(keeper.hidden(), 1);
    }
}
