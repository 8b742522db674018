//! The reasoning that is measured: intake's chart and the diagnostician's differential, in this process.

use super::row::Ranked;
use crate::failure::{Failure, Outcome};
use bodh_clinical::{Case, Opinion, Prevalence, Question};
use bodh_inference::{Evidence, check_chart, rank};
use bodh_knowledge::{COMMITTED, Pack, inflate};

/// Reasoning with its pack, shared by all threads.
pub(crate) struct Ranker {
    pack: Pack,
    reader: bodh_intake::Reader,
}

/// One case's ranking.
pub(crate) struct Ranking {
    pub(crate) ranked: Vec<Ranked>,
    /// The leading diagnosis is rare (unknown prevalence counts as rare) or must not be missed. A session asks for
    /// more reasons than these two: its policies are not evaluated here.
    pub(crate) escalated: bool,
}

impl Ranker {
    pub(crate) fn load() -> Outcome<Self> {
        let pack = inflate(COMMITTED).and_then(Pack::open);
        pack.map(|pack| Self { reader: bodh_intake::Reader::new(&pack), pack })
            .map_err(|wrong| Failure::failed(format!("the built-in pack: {wrong}")))
    }

    /// Ranks the diseases; `leave_out` names a publication whose annotations do not count.
    pub(crate) fn rank(&self, case: &Case, leave_out: Option<&str>) -> Result<Ranking, String> {
        let question = Question::Extract { subject: case.subject, note: case.note.clone(), coded: case.coded.clone() };
        let chart =
            match bodh_intake::answer_by(&self.reader, &question, &self.pack).map_err(|wrong| wrong.to_string())? {
                Opinion::Extract(chart) => chart,
                _ => return Err("intake gave another opinion".into()),
            };
        if chart.findings.is_empty() {
            return Err("no finding that the packs know".into());
        }
        check_chart(&self.pack, &case.subject, &chart.findings).map_err(|wrong| wrong.to_string())?;
        let evidence = Evidence { exclude_publication: leave_out };
        let differential = rank(&self.pack, &case.subject, &chart.findings, &evidence);
        let escalated = differential.leading().is_none_or(|h| h.red_flag || Prevalence::is_rare(h.prevalence));
        let ranked = differential.hypotheses.into_iter().map(|h| {
            let known = self.pack.disease(h.id.as_str());
            let synonyms = known.map(|ix| self.pack.disease_synonyms(ix).map(str::to_owned).collect());
            Ranked {
                id: h.id,
                also: h.also,
                name: h.label,
                synonyms: synonyms.unwrap_or_default(),
                probability: h.probability,
            }
        });
        Ok(Ranking { ranked: ranked.collect(), escalated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_sample_is_recognised() {
        let sample = include_bytes!("../../../../deploy/samples/tall_with_dislocated_lenses.json");
        let case = bodh_formats::read(sample).unwrap().case;
        let ranking = Ranker::load().unwrap().rank(&case, None).unwrap();
        let first = ranking.ranked.first().unwrap();
        assert_eq!(first.id.as_str(), "OMIM:154700", "{}", first.name);
        assert!(ranking.escalated && ranking.ranked.len() <= 50);
    }

    #[test]
    fn nothing_known_gives_no_ranking() {
        assert!(Ranker::load().unwrap().rank(&Case::default(), None).is_err());
    }
}
