//! What only all conditions together show.

use super::block::Faults;
use super::condition::Condition;
use super::vocabulary::{Ref, Vocabulary};
use super::wording::key;
use crate::FrequencyClass;
use std::collections::BTreeMap;

/// Names given twice, neighbours that are missing or not told apart, and a red flag
/// on what no finding distinguishes.
pub(crate) fn together(conditions: &[Condition<'_>], vocabulary: &Vocabulary, faults: &mut Faults) {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (index, condition) in conditions.iter().enumerate() {
        if let Some(other) = names.insert(key(condition.label), index)
            && let Some(other) = conditions.get(other)
        {
            let what =
                format!("`{}` is given already in {}, line {}", condition.label, other.place.file, other.place.line);
            faults.add(condition.place, what);
        }
    }
    for (index, condition) in conditions.iter().enumerate() {
        for name in &condition.synonyms {
            names.entry(key(name)).or_insert(index);
        }
    }
    let sets: Vec<BTreeMap<Ref, FrequencyClass>> =
        conditions.iter().map(|c| c.findings.iter().copied().collect()).collect();
    for (index, condition) in conditions.iter().enumerate() {
        let Some(own) = sets.get(index) else { continue };
        if condition.unlike.is_empty() {
            faults.add(condition.place, format!("`{}` needs a neighbour: `unlike NAME: finding`", condition.label));
        }
        for (field, neighbour) in &condition.unlike {
            match names.get(&key(neighbour)) {
                None => faults.add(field.place, format!("unknown neighbour `{neighbour}`")),
                Some(other) if *other == index => faults.add(field.place, "a condition is not its own neighbour"),
                Some(_) => {}
            }
            for item in field.items() {
                match vocabulary.find(item) {
                    None => faults.add(field.place, format!("unknown finding `{item}`")),
                    Some(found) if own.contains_key(&found) => {}
                    Some(_) => faults.add(field.place, format!("`{item}` is not among the condition's findings")),
                }
            }
        }
        let alike = sets.iter().enumerate().find(|(other, set)| *other != index && *set == own);
        if let Some((other, _)) = alike.filter(|(other, _)| *other < index)
            && let Some(other) = conditions.get(other)
        {
            faults.add(condition.place, format!("no finding tells it from `{}`", other.label));
        }
    }
}
