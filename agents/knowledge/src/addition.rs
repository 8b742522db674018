//! Curated findings and conditions, added to a release.

use crate::annotation::FrequencyClass;
use crate::curated::{Condition, Curated, OwnFinding, PricedTest, Ref, is_own, key};
use crate::flat::NONE;
use crate::material::{Curation, Disease, Material, Row, Term, shift};
use crate::{BuildError, EvidenceCode, Frequency, Pack, TermIx};
use bodh_clinical::Sex;
use std::collections::{BTreeMap, BTreeSet};

impl Material {
    /// Adds the curated findings and conditions, which were read against `pack`.
    pub(crate) fn add(&mut self, curated: &Curated<'_>, pack: &Pack) -> Result<(), BuildError> {
        // Whatever the pack had of its own is not in this material: count in terms of the release.
        let own_before = shift(pack.terms().take_while(|t| is_own(pack.term_id(*t))).count());
        let places = places(curated.own.iter().map(|o| o.id.as_str()), "findings")?;
        let added = shift(places.len());
        let index = |found: Ref| match found {
            Ref::Term(TermIx(term)) => term.saturating_sub(own_before) + added,
            Ref::Own(own) => places.get(own).copied().unwrap_or(NONE),
        };
        for term in &mut self.terms {
            term.parents.iter_mut().chain(&mut term.ancestors).for_each(|t| *t += added);
        }
        self.aliases.values_mut().flatten().for_each(|t| *t += added);
        let mut own: Vec<Term> = vec![Term::default(); places.len()];
        for (finding, place) in curated.own.iter().zip(&places) {
            let mut above = BTreeSet::from([*place]);
            let mut at = finding.broader;
            while let Some(broader) = at {
                above.insert(index(broader));
                at = match broader {
                    Ref::Own(own) => curated.own.get(own).and_then(|o| o.broader),
                    Ref::Term(TermIx(term)) => {
                        let term = term.saturating_sub(own_before);
                        above.extend(self.terms.get(term as usize).into_iter().flat_map(|t| &t.ancestors));
                        None
                    }
                };
            }
            if let Some(slot) = own.get_mut(*place as usize) {
                let explains = finding.explains.iter().map(|found| index(*found)).collect();
                *slot = Term { explains, ..own_term(finding, finding.broader.map(index), above) };
            }
        }
        own.append(&mut self.terms);
        self.terms = own;
        let places: BTreeMap<&str, u32> = curated.tests.iter().map(|t| t.id.as_str()).zip(0u32..).collect();
        let listed = curated.tests.iter().flat_map(|t| t.roots.iter().map(|r| (Ref::Term(*r), t.id.as_str())));
        let own = curated.own.iter().enumerate().filter_map(|(o, f)| Some((Ref::Own(o), f.test.as_ref()?.as_str())));
        let measured = curated.shown.iter().map(|(term, test)| (*term, test.as_str()));
        for (term, test) in listed.chain(own).chain(measured) {
            if let (Some(term), Some(test)) = (self.terms.get_mut(index(term) as usize), places.get(test)) {
                term.shown.insert(*test);
            }
        }
        let within = |whole: &PricedTest, one: &PricedTest| {
            whole.kind == one.kind && whole.all_up_to.is_some_and(|most| one.price <= most)
        };
        for (whole, place) in curated.tests.iter().zip(0u32..).filter(|(test, _)| test.all_up_to.is_some()) {
            let parts = curated.tests.iter().zip(0u32..).filter(|(one, _)| within(whole, one));
            let parts: BTreeSet<u32> = parts.map(|(_, part)| part).collect();
            for term in self.terms.iter_mut().filter(|term| !term.shown.is_disjoint(&parts)) {
                term.shown.insert(place);
            }
        }
        self.tests.clone_from(&curated.tests);
        self.add_conditions(curated, added, &index)?;
        self.measures.clone_from(&curated.measures);
        Ok(())
    }

    fn add_conditions(
        &mut self,
        curated: &Curated<'_>,
        added_terms: u32,
        index: &dyn Fn(Ref) -> u32,
    ) -> Result<(), BuildError> {
        let conditions = &curated.conditions;
        let places = places(conditions.iter().map(|c| c.id.as_str()), "conditions")?;
        let added = shift(places.len());
        for disease in &mut self.diseases {
            disease.series.iter_mut().chain(&mut disease.same_gene).for_each(|d| *d += added);
            for row in &mut disease.rows {
                row.term += added_terms;
                row.onset = row.onset.map(|o| o + added_terms);
            }
            disease.named.iter_mut().for_each(|t| *t += added_terms);
        }
        let mut by_name: BTreeMap<String, u32> = BTreeMap::new();
        for (disease, place) in self.diseases.iter().zip(added..) {
            for name in [&disease.label].into_iter().chain(&disease.synonyms) {
                by_name.entry(key(name)).or_insert(place);
            }
        }
        let mut own: Vec<Disease> = vec![Disease::default(); places.len()];
        for ((condition, named), place) in conditions.iter().zip(&curated.named).zip(&places) {
            let twin = condition.names().find_map(|name| by_name.get(&key(name)).copied());
            let other = twin.and_then(|t| self.diseases.get((t - added) as usize));
            if let Some(slot) = own.get_mut(*place as usize) {
                let named = named.iter().map(|term| index(*term)).collect();
                *slot =
                    Disease { named, ..own_disease(condition, twin, other, &antecedents(condition, curated), index) };
            }
        }
        own.append(&mut self.diseases);
        self.diseases = own;
        Ok(())
    }
}

/// For each id its place in the order of the ids.
fn places<'a>(ids: impl Iterator<Item = &'a str>, what: &'static str) -> Result<Vec<u32>, BuildError> {
    let ids: Vec<&str> = ids.collect();
    let sorted: BTreeSet<&str> = ids.iter().copied().collect();
    if sorted.len() != ids.len() {
        return Err(BuildError::SameId { what });
    }
    let order: BTreeMap<&str, u32> = sorted.into_iter().zip(0u32..).collect();
    Ok(ids.iter().filter_map(|id| order.get(id).copied()).collect())
}

fn own_term(finding: &OwnFinding, parent: Option<u32>, above: BTreeSet<u32>) -> Term {
    Term {
        id: finding.id.clone(),
        label: finding.label.clone(),
        synonyms: finding.synonyms.clone(),
        exact: shift(finding.synonyms.len()),
        parents: parent.into_iter().collect(),
        ancestors: above.into_iter().collect(),
        incidental: finding.incidental,
        explains: BTreeSet::new(),
        shown: BTreeSet::new(),
    }
}

/// What nearly everybody with the condition has in their history.
fn antecedents(condition: &Condition<'_>, curated: &Curated<'_>) -> Vec<Ref> {
    let history = |found: &Ref| matches!(found, Ref::Own(own) if curated.own.get(*own).is_some_and(|o| o.antecedent));
    let nearly_all = |class: &FrequencyClass| matches!(class, FrequencyClass::Obligate | FrequencyClass::VeryFrequent);
    condition.findings.iter().filter(|(found, class)| nearly_all(class) && history(found)).map(|f| f.0).collect()
}

fn own_disease(
    condition: &Condition<'_>,
    twin: Option<u32>,
    other: Option<&Disease>,
    antecedents: &[Ref],
    index: &dyn Fn(Ref) -> u32,
) -> Disease {
    let origin = format!("Bodh general medicine, {}", condition.specialty);
    let row = |(found, class): &(Ref, FrequencyClass)| Row {
        term: index(*found),
        frequency: Frequency::Class(*class),
        onset: None,
        sex: Sex::Unknown,
        not: false,
        evidence: EvidenceCode::AuthorStatement,
        references: vec![origin.clone()],
        from: 0,
    };
    let also = other.into_iter().flat_map(|o| [&o.id].into_iter().chain(&o.also)).take(3).cloned().collect();
    Disease {
        id: condition.id.clone(),
        label: condition.label.to_owned(),
        also,
        synonyms: condition.synonyms.iter().map(|s| (*s).to_owned()).collect(),
        rows: condition.findings.iter().map(row).collect(),
        twin,
        curation: Some(Curation {
            antecedents: antecedents.iter().map(|found| index(*found)).collect(),
            specialty: condition.specialty.to_owned(),
            prevalence: condition.prevalence,
            red_flag: condition.red_flag.unwrap_or_default().to_owned(),
            sexes: condition.sexes,
            ages: condition.ages.iter().map(|a| [a.from, a.to]).collect(),
            outside: condition.outside,
            settled_by: condition.settled_by.iter().map(ToString::to_string).collect(),
        }),
        ..Disease::default()
    }
}
