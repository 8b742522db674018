//! Many cases, on all processors: every case gives one result, in the cases' order.

use super::convene::{InProcess, Setup, Stage};
use super::rivals::{Lists, Rival, follow};
use super::row::Ranked;
use super::{Answers, Case, Row, rank};
use crate::terminal;
use bodh_clinical::{Differential, IgnoredCause, Intake, TermId, Usd};
use bodh_formats::Format;
use bodh_inference::accuracy;
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What a first visit costs in the benchmark's protocol.
const VISIT: Usd = Usd::from_cents(30_000);

/// What is done with every case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) truth: Option<&'a HashMap<String, Answers>>,
    pub(crate) leave_publication_out: bool,
    pub(crate) sequential: bool,
    pub(crate) budget: Usd,
    /// Also go through the case in the other ways of ordering.
    pub(crate) rivals: bool,
}

/// One case, done.
pub(crate) struct Done {
    pub(crate) row: Row,
    /// As [`Case::place`].
    pub(crate) place: String,
    /// What the case says against itself, with its file and line.
    pub(crate) contradiction: Option<String>,
    pub(crate) scored: Option<accuracy::Outcome>,
    pub(crate) took_ms: Option<f64>,
    /// The panel's stages.
    pub(crate) stages: Vec<Stage>,
    /// Those of each rival.
    pub(crate) rivals: Vec<(Rival, Vec<Stage>)>,
}

impl Done {
    fn refused(case: &Case, name: &str, error: &str) -> Self {
        let row = Row::refused(name.to_owned(), case.fault(error));
        let (place, contradiction) = (case.place.clone(), None);
        Self { row, place, contradiction, scored: None, took_ms: None, stages: Vec::new(), rivals: Vec::new() }
    }
}

/// Every case gives one result, in the cases' order, on all processors.
pub(crate) fn run_all(cases: &[Case], members: &InProcess, batch: Batch<'_>) -> Vec<Done> {
    let lists = Lists::new(&members.pack);
    let bar = terminal::bar(cases.len() as u64, "cases");
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(cases.len())));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let (place, Some(case)) = take(&next, cases) {
                    let done = one(case, members, &lists, batch);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((place, done));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, done)| done).collect()
}

fn take<'a>(next: &AtomicUsize, cases: &'a [Case]) -> (usize, Option<&'a Case>) {
    let place = next.fetch_add(1, Ordering::Relaxed);
    (place, cases.get(place))
}

fn one(case: &Case, members: &InProcess, lists: &Lists, batch: Batch<'_>) -> Done {
    let parsed = match bodh_formats::read(&case.bytes) {
        Ok(parsed) if case.line.is_some() && parsed.format == Format::Note => {
            return Done::refused(case, &case.place, "not JSON; a row is one case as JSON");
        }
        Ok(parsed) => parsed,
        Err(wrong) => return Done::refused(case, &case.place, &wrong.to_string()),
    };
    let name = parsed.case_id.clone().unwrap_or_else(|| case.place.clone());
    let own = bodh_formats::truth(&case.bytes).map(|truth| Answers::of_case(&truth)).unwrap_or_default();
    let answers = batch.truth.map_or(Some(&own), |truth| truth.get(&name).or_else(|| truth.get(&case.place)));
    let answers = answers.filter(|answers| !answers.is_empty());
    let publication = answers.and_then(|a| a.publication.clone()).or_else(|| own.publication.clone());
    let leave_out = publication.as_deref().filter(|_| batch.leave_publication_out);
    let shown = |d: &Differential| d.hypotheses.iter().map(|h| Ranked::of(h, &members.pack)).collect::<Vec<_>>();
    let judge = |d: &Differential| answers.and_then(|answers| rank(&shown(d), answers));
    let setup = Setup { sequential: batch.sequential, budget: batch.budget, leave_out };
    let begun = Instant::now();
    let course = match members.convene(&parsed.case, setup, &judge) {
        Ok(course) => course,
        Err(wrong) => return Done::refused(case, &name, &wrong),
    };
    let took_ms = Some(begun.elapsed().as_secs_f64() * 1000.0);
    let rivals = if batch.rivals {
        let findings = course.chart.findings.as_slice();
        let goes = |rival| follow(members, lists, rival, (&parsed.case, findings), leave_out, &judge);
        Rival::ALL.map(|rival| (rival, goes(rival))).to_vec()
    } else {
        Vec::new()
    };
    let (contradictory, outdone) = contradictions(&course.chart);
    let contradiction = contradiction(members, &contradictory, &outdone).map(|says| case.fault(&says));
    let scored = answers.map(|_| accuracy::Outcome {
        case: name.clone(),
        publication: publication.clone().unwrap_or_else(|| name.clone()),
        rank: judge(&course.differential),
        leading: course.differential.leading().map_or(0.0, |h| h.probability),
    });
    let cost = if batch.sequential { course.spent.plus(VISIT) } else { Usd::ZERO };
    let row = Row {
        case: name,
        ranked: shown(&course.differential),
        cost_usd: cost.dollars(),
        orders: course.orders,
        escalated: !course.escalated_for.is_empty(),
        escalated_for: course.escalated_for,
        dissent: course.dissent,
        contradictory,
        outdone,
        error: None,
    };
    let place = case.place.clone();
    Done { row, place, contradiction, scored, took_ms, stages: course.stages, rivals }
}

/// The terms that are said both present and absent, and those said absent beside something more specific that is present.
fn contradictions(chart: &Intake) -> (Vec<TermId>, Vec<TermId>) {
    let outdone = chart.ignored.iter().filter(|ignored| ignored.cause == IgnoredCause::Contradicted);
    (chart.contradictory.clone(), outdone.map(|ignored| ignored.term.clone()).collect())
}

fn contradiction(members: &InProcess, both: &[TermId], outdone: &[TermId]) -> Option<String> {
    let named = |terms: &[TermId]| {
        let label = |id: &TermId| members.pack.term(id.as_str()).map_or("", |term| members.pack.term_label(term));
        terms.iter().map(|id| format!("{id} {}", label(id))).collect::<Vec<_>>().join(", ")
    };
    let both = (!both.is_empty()).then(|| format!("both present and absent, neither used: {}", named(both)));
    let outdone = (!outdone.is_empty())
        .then(|| format!("absent beside something more specific present, the absence not used: {}", named(outdone)));
    let said: Vec<String> = both.into_iter().chain(outdone).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What a case had cost at a stage, with the first visit.
pub(crate) fn with_visit(stage: Stage) -> f64 {
    stage.spent.plus(VISIT).dollars()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_gives_a_row_in_its_place_and_a_bad_one_stops_nothing() {
        let sample = include_bytes!("../../../../deploy/samples/tall_with_dislocated_lenses.json");
        let good = Case { place: "good".into(), bytes: sample.to_vec(), ..Case::default() };
        let bad = Case { place: "bad".into(), bytes: b"{".to_vec(), ..Case::default() };
        let name = "sample-tall-with-dislocated-lenses";
        let truth = HashMap::from([(
            name.to_owned(),
            Answers { ids: vec![bodh_clinical::DiseaseId::parse("OMIM:154700").unwrap()], ..Answers::default() },
        )]);
        let members = InProcess::load().unwrap();
        let batch = Batch {
            truth: Some(&truth),
            leave_publication_out: false,
            sequential: false,
            budget: Usd::ZERO,
            rivals: false,
        };
        let done = run_all(&[good.clone(), bad, good.clone()], &members, batch);
        let names: Vec<_> = done.iter().map(|one| one.row.case.as_str()).collect();
        assert_eq!(names, [name, "bad", name]);
        assert_eq!(done[0].scored.as_ref().unwrap().rank, Some(1));
        assert!(done[0].row.escalated && done[0].row.ranked.len() <= 50 && done[0].row.cost_usd < 0.01);
        assert!(done[1].row.error.as_ref().unwrap().contains("JSON") && done[1].scored.is_none());
        assert_eq!(done[0].row, done[2].row, "deterministic");
        let walked = run_all(&[good], &members, Batch { sequential: true, rivals: true, ..batch });
        assert!(walked[0].row.cost_usd >= 300.0 && walked[0].scored.is_some());
        assert_eq!(walked[0].rivals.len(), 4);
    }
}
