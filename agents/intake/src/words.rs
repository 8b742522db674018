//! Words of clinics and of patients that no ontology lists, and names that are too common to mean a finding.

use bodh_clinical::Presence;

/// `synonyms.tsv`: tab-separated words, `+` (there) or `-` (not there), term id, the term's label.
pub(crate) const SYNONYMS: &str = include_str!("../synonyms.tsv");

/// One row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// The words.
    pub(crate) name: &'a str,
    /// What they say.
    pub(crate) says: Presence,
    /// The term.
    pub(crate) term: &'a str,
    /// The term's label, for whoever reads the file; a test compares it with the pack's.
    #[cfg_attr(not(test), allow(dead_code, reason = "for readers and for the test of the file"))]
    pub(crate) label: &'a str,
}

/// The rows of the committed file; comments and empty lines left out.
pub(crate) fn synonyms() -> impl Iterator<Item = Row<'static>> {
    SYNONYMS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        let (name, sign, term, label) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        let says = match sign {
            "+" => Presence::Present,
            "-" => Presence::Excluded,
            _ => return None,
        };
        Some(Row { name, says, term, label })
    })
}

/// `implied.tsv`: tab-separated term id, label, id and label of what it also says.
pub(crate) const IMPLIED: &str = include_str!("../implied.tsv");

/// Terms, each with one that it also says.
pub(crate) fn implied() -> impl Iterator<Item = (&'static str, &'static str)> {
    IMPLIED.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        let (term, _, also) = (cells.next()?, cells.next()?, cells.next()?);
        Some((term, also))
    })
}

/// Names that a pack has and that mostly mean something else in a note, each with the reason. A longer name that holds
/// one of them still matches.
#[rustfmt::skip]
pub(crate) const STOPPED: &[(&str, &str)] = &[
    ("pain free", "says the opposite"),
    ("sexual history", "a heading"),
    ("stress test", "an examination, not a state"),
    ("tilt table test", "an examination"),
    ("weight", "a measurement"),
    ("height", "a measurement"),
    ("growth", "also of bacteria in a culture"),
    ("positive", "a result's word"),
    ("death", "mostly of a relative"),
    ("heart disease", "a history of any kind; the kind is what counts"),
    ("cancer", "the kind is what counts, and screening names it"),
    ("infection", "the kind is what counts"),
    ("depression st", "an electrocardiogram's segment"),
    ("st depression", "an electrocardiogram's segment"),
    ("st segment depression", "an electrocardiogram's segment"),
    ("cold", "mostly a temperature"),
    ("drop", "also of a pressure"),
    ("lesion", "without its place it says nothing"),
    ("mass", "without its place it says nothing"),
    ("in respiratory distress", "mostly a general remark"),
    ("back pressure", "not a pain"),
    ("alert", "a normal state"),
    ("pain", "without its place it says nothing, and its absence at one place even less"),
    ("dullness", "mostly of percussion"),
    ("dullness to percussion", "a sign of many states, not lethargy"),
    ("aspiration", "also a procedure"),
    ("collecting", "a verb, and a duct"),
    ("behavioral symptom", "a heading"),
    ("abdominal symptom", "a heading"),
    ("constitutional symptom", "followed by the ones that are meant"),
    ("stable", "a normal state"),
    ("blood pressure", "a measurement"),
    ("hypertension medication", "a drug"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_the_packs_and_every_stop_has_a_reason() {
        let pack = bodh_knowledge::Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED).unwrap()).unwrap();
        for row in synonyms() {
            let term = pack.term(row.term).unwrap_or_else(|| panic!("{} is not in the pack", row.term));
            assert_eq!((pack.term_id(term), pack.term_label(term)), (row.term, row.label), "{}", row.name);
            assert!(pack.is_phenotypic(term), "{}", row.term);
        }
        assert!(STOPPED.iter().all(|(name, reason)| !name.is_empty() && reason.len() > 5));
    }

    #[test]
    fn every_implied_finding_is_the_packs() {
        let pack = bodh_knowledge::Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED).unwrap()).unwrap();
        let rows: Vec<Vec<&str>> =
            IMPLIED.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect()).collect();
        assert_eq!(implied().count(), rows.len());
        for row in rows {
            let [term, label, also, also_label] = row[..] else { panic!("{row:?}") };
            for (id, label) in [(term, label), (also, also_label)] {
                let known = pack.term(id).unwrap_or_else(|| panic!("{id} is not in the pack"));
                assert_eq!((pack.term_id(known), pack.term_label(known)), (id, label));
            }
            let (term, also) = (pack.term(term).unwrap(), pack.term(also).unwrap());
            assert!(!pack.is_a(term, also), "{label}: the pack has {also_label} above it");
        }
    }

    #[test]
    fn no_row_takes_a_name_from_its_term() {
        let pack = bodh_knowledge::Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED).unwrap()).unwrap();
        let labels: std::collections::BTreeMap<String, _> =
            pack.terms().filter(|t| pack.is_phenotypic(*t)).map(|t| (pack.term_label(t).to_lowercase(), t)).collect();
        // "Increased blood pressure" is meant as its narrower term, which every condition names.
        for row in synonyms() {
            let Some(named) = labels.get(&row.name.to_lowercase()) else { continue };
            let (used, term) = (pack.rates_by_part(*named).0.next().is_some(), pack.term(row.term).unwrap());
            assert!(pack.is_a(term, *named) || !used, "{}: the pack has this very name", row.name);
        }
    }

    #[test]
    fn every_row_is_read() {
        let lines = SYNONYMS.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).count();
        assert_eq!(synonyms().count(), lines);
        let mut names: Vec<&str> = synonyms().map(|row| row.name).collect();
        names.sort_unstable();
        let repeated: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(repeated.is_empty(), "{repeated:?}");
    }
}
