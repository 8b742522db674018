//! The reasoning on the committed pack: deterministic, the product of its claims, and refutable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Differential, DiseaseId, Finding, Origin, Presence, RefutationCause, Subject, TermId, TestId};
use bodh_inference::{Evidence, ROUND, check_chart, check_differential, dissent, plan, rank, second_opinion, verify};
use bodh_knowledge::{COMMITTED, DiseaseIx, Pack, Refusal, inflate};
use std::sync::LazyLock;

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());

fn finding(id: &str, presence: Presence) -> Finding {
    let (term, origin) = (TermId::parse(id).unwrap(), Origin::Coded(0));
    Finding { term, label: String::new(), presence, origin, past: false }
}

/// Ectopia lentis, dilatation of the aortic root, arachnodactyly, tall stature; no cleft palate.
fn chart() -> Vec<Finding> {
    let mut chart: Vec<Finding> =
        ["HP:0001083", "HP:0002616", "HP:0001166", "HP:0000098"].map(|t| finding(t, Presence::Present)).to_vec();
    chart.push(finding("HP:0000175", Presence::Excluded));
    chart
}

fn ranked() -> Differential {
    rank(&PACK, &Subject::default(), &chart(), &Evidence::default())
}

#[test]
fn a_textbook_chart_leads_with_its_disease() {
    let found = ranked();
    let marfan = DiseaseId::parse("OMIM:154700").unwrap();
    assert!(found.hypotheses.iter().take(3).any(|h| h.id == marfan));
    assert_eq!(found.hypotheses.len(), 50);
    assert!(second_opinion(&PACK, &Subject::default(), &chart()).hypotheses.iter().take(3).any(|h| h.id == marfan));
}

#[test]
fn an_exclusion_above_something_present_says_nothing() {
    let mut contradicted = chart();
    // Abnormal lens morphology is above ectopia lentis.
    contradicted.push(finding("HP:0000517", Presence::Excluded));
    let found = rank(&PACK, &Subject::default(), &contradicted, &Evidence::default());
    let odds = |d: &Differential| d.hypotheses.iter().map(|h| (h.id.clone(), h.probability)).collect::<Vec<_>>();
    assert_eq!(odds(&found), odds(&ranked()));
    let claims = found.hypotheses[0].claims.iter().filter(|c| c.finding.as_str() == "HP:0000517");
    assert_eq!(claims.map(|c| c.bits.abs()).collect::<Vec<_>>(), [0.0], "stated, and weighs nothing");
}

#[test]
fn the_numbers_are_the_product_of_the_claims() {
    let found = ranked();
    let bits =
        |i: usize| found.hypotheses[i].prior_bits + found.hypotheses[i].claims.iter().map(|c| c.bits).sum::<f64>();
    for i in 1..found.hypotheses.len() {
        let odds = (found.hypotheses[0].probability / found.hypotheses[i].probability).log2();
        assert!((odds - found.exponent * (bits(0) - bits(i))).abs() < 1e-9, "hypothesis {i}");
    }
    let total: f64 = found.hypotheses.iter().map(|h| h.probability).sum::<f64>() + found.other;
    assert!(total <= 1.0 + 1e-12 && found.other > 0.0);
}

#[test]
fn what_a_diagnosis_made_one_expect_is_not_in_the_chart() {
    let found = ranked();
    for (place, hypothesis) in found.hypotheses.iter().enumerate() {
        assert!(hypothesis.expected.len() <= 4 && (place < 10 || hypothesis.expected.is_empty()));
        for expected in &hypothesis.expected {
            let term = PACK.term(expected.term.as_str()).unwrap();
            assert_eq!(PACK.term_label(term), expected.label);
            assert!((0.3..=1.0).contains(&expected.frequency) && expected.tells_bits.is_finite());
            let in_chart = |f: &Finding| PACK.is_a(PACK.term(f.term.as_str()).unwrap(), term);
            assert!(!chart().iter().any(in_chart), "{}", expected.label);
        }
    }
    assert!(!found.hypotheses[0].expected.is_empty());
    assert!(found.outline().hypotheses.iter().all(|h| h.expected.is_empty() && h.claims.is_empty()));
}

#[test]
fn what_is_known_already_tells_little_and_an_untold_antecedent_counts_against() {
    let present = |ids: &[&str]| ids.iter().map(|id| finding(id, Presence::Present)).collect::<Vec<_>>();
    let of = |chart: &[Finding]| rank(&PACK, &Subject::default(), chart, &Evidence::default());
    // Hyperglycemia and shoulder pain, in somebody and in a known diabetic.
    let (sugar, known) = ("HP:0003074", "BODH:known-diabetes-mellitus");
    let (new, explained) = (of(&present(&[sugar, "HP:0030834"])), of(&present(&[sugar, "HP:0030834", known])));
    let most = |d: &Differential| {
        let all = d.hypotheses.iter().filter(|h| h.id.as_str().starts_with("BODH:"));
        let bits = all.flat_map(|h| h.claims.iter()).filter(|c| c.finding.as_str() == sugar).map(|c| c.bits.abs());
        bits.fold(0.0, f64::max)
    };
    assert!(most(&explained) > 0.0 && most(&explained) < most(&new) / 2.0, "{} {}", most(&explained), most(&new));
    // What is not there although something known would explain it tells as much as in anybody.
    let lacks = |mut chart: Vec<Finding>| {
        chart.push(finding(sugar, Presence::Excluded));
        most(&of(&chart))
    };
    let (new, known) = (lacks(present(&["HP:0030834"])), lacks(present(&["HP:0030834", known])));
    assert!(new > 0.0 && (known - new).abs() < new / 2.0, "{new} {known}");
    // So does what is told of the past; it is no reason to think of another illness, and none against this one.
    let then = |mut chart: Vec<Finding>| {
        chart.iter_mut().filter(|f| f.term.as_str() == sugar).for_each(|f| f.past = true);
        chart
    };
    let past = of(&then(present(&[sugar, "HP:0030834"])));
    assert!(most(&past) > 0.0 && most(&past) < most(&of(&present(&[sugar, "HP:0030834"]))) / 2.0);
    // A condition that nearly always follows something in the history is likelier once the chart speaks of it.
    let gained = |condition: DiseaseIx| {
        let antecedent = PACK.antecedents(condition).next()?;
        let shown = PACK.annotations(condition).filter(|a| !PACK.is_incidental(a.term)).map(|a| PACK.term_id(a.term));
        let silent = present(&shown.take(4).collect::<Vec<_>>());
        let told = [silent.clone(), present(&[PACK.term_id(antecedent)])].concat();
        let prior = |chart: &[Finding]| {
            let listed = of(chart).hypotheses;
            listed.iter().find(|h| h.id.as_str() == PACK.disease_id(condition)).map(|h| h.prior_bits)
        };
        // What else the chart says about general medicine is the same for both but for the antecedent itself.
        Some(prior(&told)? - prior(&silent)?)
    };
    let gains: Vec<f64> = PACK.diseases().take(PACK.general_count()).filter_map(gained).take(20).collect();
    assert!(gains.len() == 20 && gains.iter().all(|gain| *gain > 0.5), "{gains:?}");
}

#[test]
fn the_order_of_the_chart_and_the_thread_do_not_matter() {
    let mut turned = chart();
    turned.reverse();
    let elsewhere = std::thread::spawn(move || rank(&PACK, &Subject::default(), &turned, &Evidence::default()));
    assert_eq!(ranked(), elsewhere.join().unwrap());
}

#[test]
fn true_claims_stand_and_each_false_one_falls_for_its_reason() {
    let good = ranked();
    let second = second_opinion(&PACK, &Subject::default(), &chart());
    let sound = verify(&PACK, &Subject::default(), &chart(), &good, &second);
    assert_eq!((sound.refuted.len(), sound.checked), (0, 250));
    let first_cause = |change: &dyn Fn(&mut bodh_clinical::Claim)| {
        let mut bad = good.clone();
        let claim = std::sync::Arc::make_mut(&mut bad.hypotheses[0].claims)
            .iter_mut()
            .find(|c| c.matched.is_some() && c.bits > 0.0)
            .unwrap();
        change(claim);
        let refuted = verify(&PACK, &Subject::default(), &chart(), &bad, &second).refuted;
        assert_eq!(refuted.len(), 1);
        refuted[0].cause
    };
    assert_eq!(first_cause(&|c| c.finding = TermId::parse("HP:0001250").unwrap()), RefutationCause::NotInChart);
    assert_eq!(first_cause(&|c| c.presence = Presence::Excluded), RefutationCause::NotInChart);
    assert_eq!(first_cause(&|c| c.matched = None), RefutationCause::NotInPack);
    assert_eq!(first_cause(&|c| c.disease = DiseaseId::parse("OMIM:999999").unwrap()), RefutationCause::NotInPack);
    assert_eq!(first_cause(&|c| c.bits += 1e-6), RefutationCause::WrongRatio);
    assert_eq!(first_cause(&|c| c.bits = f64::NAN), RefutationCause::WrongRatio);
    assert_eq!(first_cause(&|c| c.frequency = c.frequency.map(|f| f / 2.0)), RefutationCause::WrongRatio);
    assert_eq!(first_cause(&|c| c.background *= 2.0), RefutationCause::WrongRatio);
    assert_eq!(first_cause(&|c| c.sources.push("PMID:1".to_owned())), RefutationCause::WrongSource);
}

#[test]
fn dissent_is_zero_with_oneself_and_one_with_a_stranger() {
    let good = ranked();
    assert!(dissent(&good, &good).abs() < 1e-12);
    let strange = rank(&PACK, &Subject::default(), &[finding("HP:0000365", Presence::Present)], &Evidence::default());
    assert!(dissent(&good, &strange) > 0.99);
    assert!(dissent(&Differential::default(), &Differential::default()).abs() < 1e-12);
}

#[test]
fn nothing_known_is_nothing_claimed_and_yet_something_is_worth_asking() {
    let before = rank(&PACK, &Subject::default(), &[], &Evidence::default());
    assert!(before.hypotheses.iter().all(|h| h.claims.is_empty() && h.probability < 0.02));
    let second = second_opinion(&PACK, &Subject::default(), &[]);
    assert_eq!((second.hypotheses.len(), second.other.to_bits()), (0, 1.0f64.to_bits()));
    assert!(verify(&PACK, &Subject::default(), &[], &before, &second).refuted.is_empty());
    let proposals = plan(&PACK, &[], &before, &[]).proposals;
    assert!(proposals.first().is_some_and(|p| p.gain_bits > 0.1));
}

#[test]
fn leaving_a_publication_out_changes_what_rests_on_it() {
    let all = ranked();
    let claims = || all.hypotheses.iter().flat_map(|h| h.claims.iter().flat_map(|c| &c.sources));
    let publication = claims().find(|s| s.starts_with("PMID:")).unwrap().clone();
    let evidence = Evidence { exclude_publication: Some(&publication) };
    let without = rank(&PACK, &Subject::default(), &chart(), &evidence);
    assert!(without.hypotheses.iter().flat_map(|h| h.claims.iter()).all(|c| !c.sources.contains(&publication)));
    assert_ne!(all, without);
}

#[test]
fn a_plan_is_bounded_ordered_and_never_repeats_what_is_done() {
    let planned = |done: &[TestId]| plan(&PACK, &chart()[..2], &ranked(), done);
    let first = planned(&[]);
    assert!((1..=10).contains(&first.proposals.len()));
    let worth: Vec<f64> = first.proposals.iter().map(|p| p.gain_bits / (p.price.unwrap().dollars() + ROUND)).collect();
    assert!(worth.windows(2).all(|w| w[0] >= w[1]));
    assert!(first.proposals.iter().all(|p| p.gain_bits > 0.0 && !p.reveals.is_empty()));
    assert_eq!(first, planned(&[]));
    let done = [first.proposals[0].test.clone()];
    assert!(planned(&done).proposals.iter().all(|p| p.test != done[0]));
}

#[test]
fn what_settles_a_red_flag_is_proposed_until_it_is_done() {
    let red = |h: &&DiseaseIx| PACK.red_flag(**h).is_some() && PACK.settled_by(**h).next().is_some();
    let general: Vec<DiseaseIx> = PACK.diseases().take(PACK.general_count()).collect();
    let condition = *general.iter().find(red).unwrap();
    let mut differential = ranked();
    let hypothesis = &mut differential.hypotheses[7];
    hypothesis.id = DiseaseId::parse(PACK.disease_id(condition)).unwrap();
    hypothesis.red_flag = true;
    let settled_by = TestId::parse(PACK.settled_by(condition).next().unwrap()).unwrap();
    let settles = |differential: &Differential, done: &[TestId]| {
        let plan = plan(&PACK, &chart(), differential, done);
        assert!(plan.proposals.len() <= 10);
        plan.proposals.into_iter().find_map(|p| p.settles.map(|condition| (p.test, condition)))
    };
    differential.hypotheses[7].probability = 0.04;
    assert_eq!(settles(&differential, &[]), None, "hardly any mass");
    differential.hypotheses[7].probability = 0.06;
    let id = differential.hypotheses[7].id.clone();
    assert_eq!(settles(&differential, &[]), Some((settled_by.clone(), id)));
    assert_eq!(settles(&differential, &[settled_by]), None);
}

#[test]
fn charts_and_differentials_that_cannot_be_are_refused() {
    let check = |f: &[Finding]| check_chart(&PACK, &Subject::default(), f);
    assert_eq!(check(&chart()), Ok(()));
    let one = finding("HP:0001083", Presence::Present);
    assert_eq!(check(&[one.clone(), finding("HP:0001083", Presence::Excluded)]), Err(Refusal::Repeated));
    assert_eq!(check(&[finding("HP:9999999", Presence::Present)]), Err(Refusal::UnknownTerm));
    assert_eq!(check(&[finding("HP:0000007", Presence::Present)]), Err(Refusal::UnknownTerm));
    assert_eq!(check(&vec![one; 1001]), Err(Refusal::TooMany { what: "findings", limit: 1000 }));
    let old = Subject { age_days: Some(60_000), ..Subject::default() };
    assert_eq!(check_chart(&PACK, &old, &[]), Err(Refusal::OutOfRange { what: "the age" }));
    let mut bad = ranked();
    assert_eq!(check_differential(&bad), Ok(()));
    bad.hypotheses[0].probability = f64::NAN;
    assert_eq!(check_differential(&bad), Err(Refusal::OutOfRange { what: "a probability" }));
    let mut twice = ranked();
    twice.hypotheses[1].id = twice.hypotheses[0].id.clone();
    assert_eq!(check_differential(&twice), Err(Refusal::Repeated));
    twice.hypotheses.extend(ranked().hypotheses);
    assert_eq!(check_differential(&twice), Err(Refusal::TooMany { what: "hypotheses", limit: 50 }));
}

#[test]
fn a_probability_that_is_not_the_product_of_its_claims_falls() {
    let good = ranked();
    let second = second_opinion(&PACK, &Subject::default(), &chart());
    let refuted = |bad: &Differential| verify(&PACK, &Subject::default(), &chart(), bad, &second).refuted;
    let mut bad = good.clone();
    bad.hypotheses[2].probability *= 1.01;
    let found = refuted(&bad);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].claim, found[0].cause), (&good.hypotheses[2].claims[0].id, RefutationCause::WrongRatio));
    for exponent in [good.exponent * 1.1, 9.0, f64::NAN] {
        let bad = Differential { exponent, ..good.clone() };
        assert!(refuted(&bad).len() > 20, "{exponent}");
    }
    let struck = good.hypotheses[1].claims[0].id.clone();
    assert_eq!(refuted(&good.without(&struck)), [], "what a person struck out is out of the product too");
}

#[test]
fn a_prior_that_does_not_follow_falls_with_the_first_claim() {
    let good = ranked();
    let second = second_opinion(&PACK, &Subject::default(), &chart());
    let mut bad = good.clone();
    bad.hypotheses[3].prior_bits += 0.01;
    let refuted = verify(&PACK, &Subject::default(), &chart(), &bad, &second).refuted;
    assert_eq!(refuted.len(), 1);
    assert_eq!((&refuted[0].claim, refuted[0].cause), (&good.hypotheses[3].claims[0].id, RefutationCause::WrongRatio));
}
