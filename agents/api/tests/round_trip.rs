//! Every question and opinion survives the wire; what breaks a bound does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_agent_api::{Answer, WireError, limits, pb};
use bodh_clinical::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

fn term() -> impl Strategy<Value = TermId> {
    (0_u32..10_000_000).prop_map(|n| TermId::parse(&format!("HP:{n:07}")).unwrap())
}

fn disease() -> impl Strategy<Value = DiseaseId> {
    (0_u32..1_000_000).prop_map(|n| DiseaseId::parse(&format!("OMIM:{n:06}")).unwrap())
}

fn test() -> impl Strategy<Value = TestId> {
    "[a-z][a-z0-9_]{0,20}".prop_map(|t| TestId::parse(&t).unwrap())
}

fn presence() -> impl Strategy<Value = Presence> {
    prop_oneof![Just(Presence::Present), Just(Presence::Excluded)]
}

fn share() -> impl Strategy<Value = f64> {
    0.0..=1.0_f64
}

fn usd() -> impl Strategy<Value = Usd> {
    (0..=limits::CENTS).prop_map(Usd::from_cents)
}

fn label() -> impl Strategy<Value = String> {
    "[ -~é’]{0,60}"
}

fn subject() -> impl Strategy<Value = Subject> {
    let sex = prop_oneof![Just(Sex::Unknown), Just(Sex::Female), Just(Sex::Male), Just(Sex::Other)];
    (option::of(0..=limits::AGE_DAYS), sex).prop_map(|(age_days, sex)| Subject { age_days, sex })
}

fn coded() -> impl Strategy<Value = CodedFeature> {
    (term(), presence()).prop_map(|(term, presence)| CodedFeature { term, presence })
}

fn finding() -> impl Strategy<Value = Finding> {
    let origin = prop_oneof![
        (0_u32..2_000).prop_map(Origin::Coded),
        (0_u32..1_000, 1_u32..1_000).prop_map(|(start, n)| Origin::Text(Span { start, end: start + n })),
        test().prop_map(Origin::ResultOf),
        (0_u32..1_000, 0_u32..1_000, 1_u32..1_000)
            .prop_map(|(amendment, start, n)| Origin::Added { amendment, span: Span { start, end: start + n } }),
        (0_u32..1_000).prop_map(|amendment| Origin::Corrected { amendment }),
    ];
    (term(), label(), presence(), origin, any::<bool>()).prop_map(|(term, label, presence, origin, past)| Finding {
        term,
        label,
        presence,
        origin,
        past,
    })
}

fn claim() -> impl Strategy<Value = Claim> {
    let numbers = (option::of(share()), share(), -limits::BITS..limits::BITS);
    (disease(), term(), presence(), option::of(term()), numbers, vec(label(), 0..4)).prop_map(
        |(disease, finding, presence, matched, (frequency, background, bits), sources)| Claim {
            id: ClaimId::of(&disease, &finding),
            disease,
            finding,
            presence,
            matched,
            frequency,
            background,
            bits,
            sources,
        },
    )
}

fn hypothesis() -> impl Strategy<Value = Hypothesis> {
    let prevalence = option::of(share().prop_map(Prevalence));
    let expected = (term(), label(), share(), -9.0..9.0_f64)
        .prop_map(|(term, label, frequency, tells_bits)| Expected { term, label, frequency, tells_bits });
    let flags = (any::<bool>(), vec(expected, 0..3));
    (disease(), vec(disease(), 0..4), label(), share(), prevalence, flags, vec(claim(), 0..4)).prop_map(
        |(id, also, label, probability, prevalence, (red_flag, expected), claims)| Hypothesis {
            id,
            also,
            label,
            probability,
            prevalence,
            red_flag,
            prior_bits: 0.5,
            expected,
            claims: claims.into(),
        },
    )
}

fn differential() -> impl Strategy<Value = Differential> {
    (vec(hypothesis(), 0..4), share(), 0.2..5.0_f64).prop_map(|(hypotheses, other, exponent)| Differential {
        hypotheses,
        other,
        exponent,
    })
}

fn verification() -> impl Strategy<Value = Verification> {
    let cause = prop_oneof![
        Just(RefutationCause::NotInChart),
        Just(RefutationCause::NotInPack),
        Just(RefutationCause::WrongRatio),
        Just(RefutationCause::WrongSource)
    ];
    let refutation =
        (disease(), term(), cause).prop_map(|(d, t, cause)| Refutation { claim: ClaimId::of(&d, &t), cause });
    (vec(refutation, 0..4), share(), any::<bool>(), 0_u32..100_000)
        .prop_map(|(refuted, dissent, same_leading, checked)| Verification { refuted, dissent, same_leading, checked })
}

fn plan() -> impl Strategy<Value = Plan> {
    let proposal = (test(), label(), 0.0..20.0_f64, option::of(usd()), vec(term(), 0..4), option::of(disease()));
    let proposal = proposal.prop_map(|(test, label, gain_bits, price, reveals, settles)| Proposal {
        test,
        label,
        gain_bits,
        price,
        reveals,
        settles,
    });
    vec(proposal, 0..4).prop_map(|proposals| Plan { proposals })
}

fn pricing() -> impl Strategy<Value = Pricing> {
    let line = (test(), option::of(usd()), label(), any::<bool>())
        .prop_map(|(test, price, source, over_budget)| PriceLine { test, price, source, over_budget });
    vec(line, 0..4).prop_map(|lines| Pricing { lines })
}

fn intake() -> impl Strategy<Value = Intake> {
    let cause = prop_oneof![
        Just(IgnoredCause::UnknownTerm),
        Just(IgnoredCause::Obsolete),
        Just(IgnoredCause::NotPhenotypic),
        Just(IgnoredCause::Duplicate),
        Just(IgnoredCause::Contradicted)
    ];
    let ignored = (term(), cause).prop_map(|(term, cause)| Ignored { term, cause });
    (vec(finding(), 0..4), vec(ignored, 0..4), vec(term(), 0..4))
        .prop_map(|(findings, ignored, contradictory)| Intake { findings, ignored, contradictory })
}

fn supervision() -> impl Strategy<Value = Supervision> {
    let step = prop_oneof![test().prop_map(Step::Order), Just(Step::Conclude), Just(Step::Defer)];
    (step, vec(label(), 0..4)).prop_map(|(step, reasons)| Supervision { step, reasons })
}

fn question() -> impl Strategy<Value = Question> {
    let chart = || (subject(), vec(finding(), 0..4));
    let next =
        (any::<bool>(), 1..=limits::ROUNDS, differential(), verification(), plan(), pricing(), vec(test(), 0..4));
    prop_oneof![
        (subject(), any::<String>(), vec(coded(), 0..4)).prop_map(|(subject, note, coded)| Question::Extract {
            subject,
            note,
            coded
        }),
        chart().prop_map(|(subject, findings)| Question::Differential { subject, findings }),
        chart().prop_map(|(subject, findings)| Question::SecondOpinion { subject, findings }),
        (chart(), differential(), differential()).prop_map(|((subject, findings), differential, second)| {
            Question::Verify { subject, findings, differential, second }
        }),
        (chart(), differential(), vec(test(), 0..4)).prop_map(|((subject, findings), differential, done)| {
            Question::Plan { subject, findings, differential, done }
        }),
        (vec(test(), 0..4), usd(), usd()).prop_map(|(tests, spent, budget)| Question::Price { tests, spent, budget }),
        next.prop_map(|(sequential, round, differential, verification, plan, pricing, done)| Question::Next {
            sequential,
            round,
            differential,
            verification,
            plan,
            pricing,
            done
        }),
    ]
}

fn opinion() -> impl Strategy<Value = Opinion> {
    prop_oneof![
        intake().prop_map(Opinion::Extract),
        differential().prop_map(Opinion::Differential),
        differential().prop_map(Opinion::SecondOpinion),
        verification().prop_map(Opinion::Verify),
        plan().prop_map(Opinion::Plan),
        pricing().prop_map(Opinion::Price),
        supervision().prop_map(Opinion::Next),
    ]
}

proptest! {
    #[test]
    fn questions(question in question()) {
        let bytes = pb::Question::from(question.clone()).encode_to_vec();
        prop_assert_eq!(Question::try_from(pb::Question::decode(bytes.as_slice()).unwrap()), Ok(question));
    }

    #[test]
    fn opinions(opinion in opinion(), pack_sha256 in any::<[u8; 32]>()) {
        let bytes = pb::Opinion::from(opinion.clone()).encode_to_vec();
        prop_assert_eq!(Opinion::try_from(pb::Opinion::decode(bytes.as_slice()).unwrap()), Ok(opinion.clone()));
        let answer = Answer { opinion, pack_sha256 };
        let bytes = pb::Opinion::from(answer.clone()).encode_to_vec();
        prop_assert_eq!(Answer::try_from(pb::Opinion::decode(bytes.as_slice()).unwrap()), Ok(answer));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(question) = pb::Question::decode(bytes.as_slice()) {
            let _ = Question::try_from(question);
        }
        if let Ok(opinion) = pb::Opinion::decode(bytes.as_slice()) {
            let _ = Answer::try_from(opinion);
        }
    }
}

fn ask(ask: pb::question::Ask) -> WireError {
    Question::try_from(pb::Question { ask: Some(ask) }).unwrap_err()
}

fn answer(answer: pb::opinion::Answer) -> WireError {
    Opinion::try_from(pb::Opinion { answer: Some(answer), pack_sha256: vec![] }).unwrap_err()
}

fn extract(change: impl FnOnce(&mut pb::IntakeQuestion)) -> String {
    let mut question = pb::IntakeQuestion {
        coded: vec![pb::CodedFeature { term: "HP:0001250".to_owned(), presence: 1 }],
        ..pb::IntakeQuestion::default()
    };
    change(&mut question);
    ask(pb::question::Ask::Extract(question)).to_string()
}

fn hypothesis_with(change: impl FnOnce(&mut pb::Hypothesis)) -> String {
    let claim = pb::Claim {
        id: "OMIM:1/HP:1".to_owned(),
        disease: "OMIM:1".to_owned(),
        finding: "HP:1".to_owned(),
        presence: 1,
        ..pb::Claim::default()
    };
    let mut hypothesis = pb::Hypothesis { id: "OMIM:1".to_owned(), claims: vec![claim], ..pb::Hypothesis::default() };
    change(&mut hypothesis);
    let differential = pb::Differential { hypotheses: vec![hypothesis], other: 0.0, exponent: 1.0 };
    answer(pb::opinion::Answer::Differential(differential)).to_string()
}

fn finding_with(change: impl FnOnce(&mut pb::Finding)) -> String {
    let origin = Some(pb::finding::Origin::Coded(0));
    let mut finding = pb::Finding { term: "HP:1".to_owned(), label: String::new(), presence: 1, origin, past: false };
    change(&mut finding);
    let chart = pb::DifferentialQuestion { subject: None, findings: vec![finding] };
    ask(pb::question::Ask::Differential(chart)).to_string()
}

#[test]
fn an_intake_question_out_of_bounds_is_refused() {
    assert_eq!(Question::try_from(pb::Question { ask: None }).unwrap_err().to_string(), "ask: missing");
    assert_eq!(extract(|q| q.note = "x".repeat(limits::NOTE + 1)), "extract.note: longer than 1 MiB");
    assert_eq!(extract(|q| q.coded[0].term = "canary".to_owned()), "extract.coded[0].term: expected PREFIX:LOCAL");
    assert_eq!(extract(|q| q.coded[0].presence = 0), "extract.coded[0].presence: neither present nor excluded");
    assert_eq!(extract(|q| q.coded[0].presence = 9), "extract.coded[0].presence: neither present nor excluded");
    assert_eq!(extract(|q| q.coded = vec![q.coded[0].clone(); limits::FINDINGS + 1]), "extract.coded: too many");
    let subject = |age_days, sex| Some(pb::Subject { age_days, sex });
    assert_eq!(extract(|q| q.subject = subject(None, 9)), "extract.subject.sex: not a known value");
    assert_eq!(extract(|q| q.subject = subject(Some(50_000), 0)), "extract.subject.age_days: more than 130 years");
}

#[test]
fn a_finding_out_of_bounds_is_refused() {
    use pb::finding::Origin;
    assert_eq!(finding_with(|f| f.origin = None), "differential.findings[0].origin: missing");
    assert_eq!(finding_with(|f| f.label = "x".repeat(301)), "differential.findings[0].label: too long");
    let reversed = Origin::Text(pb::Span { start: 5, end: 5 });
    assert_eq!(finding_with(|f| f.origin = Some(reversed)), "differential.findings[0].text: not a span of a note");
    let far = Origin::Text(pb::Span { start: 5, end: u32::MAX });
    assert_eq!(finding_with(|f| f.origin = Some(far)), "differential.findings[0].text: not a span of a note");
    assert!(finding_with(|f| f.origin = Some(Origin::Coded(2_000))).contains("beyond the last feature"));
    assert!(finding_with(|f| f.origin = Some(Origin::ResultOf("CT Chest".to_owned()))).contains("result_of"));
}

#[test]
fn a_differential_out_of_bounds_is_refused() {
    let at = "differential.hypotheses[0]";
    assert_eq!(hypothesis_with(|h| h.probability = f64::NAN), format!("{at}.probability: not between 0 and 1"));
    assert_eq!(hypothesis_with(|h| h.prevalence = Some(1.5)), format!("{at}.prevalence: not between 0 and 1"));
    assert_eq!(hypothesis_with(|h| h.also = vec!["OMIM:1".to_owned(); 4]), format!("{at}.also: too many"));
    let odd = pb::Expected { term: "HP:1".to_owned(), frequency: 2.0, ..pb::Expected::default() };
    assert_eq!(
        hypothesis_with(|h| h.expected = vec![odd.clone()]),
        format!("{at}.expected[0].frequency: not between 0 and 1")
    );
    assert_eq!(hypothesis_with(|h| h.expected = vec![odd.clone(); 9]), format!("{at}.expected: too many"));
    assert_eq!(hypothesis_with(|h| h.id = "canary".to_owned()), format!("{at}.id: expected PREFIX:LOCAL"));
    assert_eq!(
        hypothesis_with(|h| h.label = "a\u{1b}[31m".to_owned()),
        format!("{at}.label: holds a control character")
    );
    assert_eq!(hypothesis_with(|h| h.claims = vec![h.claims[0].clone(); 2_001]), format!("{at}.claims: too many"));
    let at = "differential.hypotheses[0].claims[0]";
    assert_eq!(
        hypothesis_with(|h| h.claims[0].bits = f64::INFINITY),
        format!("{at}.bits: not a finite number of bits")
    );
    assert_eq!(hypothesis_with(|h| h.claims[0].background = -0.1), format!("{at}.background: not between 0 and 1"));
    assert_eq!(
        hypothesis_with(|h| h.claims[0].id = "OMIM:1/HP:2".to_owned()),
        format!("{at}.id: is not its disease and its finding")
    );
    let many = pb::Differential { hypotheses: vec![pb::Hypothesis::default(); 51], other: 0.0, exponent: 1.0 };
    assert_eq!(answer(pb::opinion::Answer::SecondOpinion(many)).to_string(), "second_opinion.hypotheses: too many");
}

#[test]
fn the_rest_out_of_bounds_is_refused() {
    use pb::opinion::Answer as A;
    use pb::question::Ask;
    let step = |step, test: &str| A::Next(pb::Supervision { step, test: test.to_owned(), reasons: vec![] });
    assert_eq!(answer(step(0, "")).to_string(), "next.step: not a known step");
    assert!(answer(step(1, "")).to_string().starts_with("next.test: expected"));
    assert_eq!(answer(step(2, "ct_chest")).to_string(), "next.test: given for a step that orders nothing");
    let ignored = pb::Ignored { term: "HP:1".to_owned(), cause: 0 };
    let intake = pb::Intake { ignored: vec![ignored], ..pb::Intake::default() };
    assert_eq!(answer(A::Extract(intake)).to_string(), "extract.ignored[0].cause: not a known cause");
    let verification = pb::Verification { dissent: 2.0, ..pb::Verification::default() };
    assert_eq!(answer(A::Verify(verification)).to_string(), "verify.dissent: not between 0 and 1");
    let refuted = vec![pb::Refutation { claim: "x".to_owned(), cause: 1 }];
    assert!(
        answer(A::Verify(pb::Verification { refuted, ..pb::Verification::default() }))
            .to_string()
            .starts_with("verify.refuted[0].claim")
    );
    let plan = pb::Plan { proposals: vec![pb::Proposal::default(); 11] };
    assert_eq!(answer(A::Plan(plan)).to_string(), "plan.proposals: too many");
    let line = pb::PriceLine { test: "x".to_owned(), price_cents: Some(u64::MAX), ..pb::PriceLine::default() };
    assert_eq!(
        answer(A::Price(pb::Pricing { lines: vec![line] })).to_string(),
        "price.lines[0].price_cents: more than a billion dollars"
    );
    let price = pb::PriceQuestion { tests: vec!["x".to_owned(); 1_001], spent_cents: 0, budget_cents: 0 };
    assert_eq!(ask(Ask::Price(price)).to_string(), "price.tests: too many");
    assert_eq!(ask(Ask::Next(pb::NextQuestion::default())).to_string(), "next.round: not between 1 and 10000");
    let next = pb::NextQuestion { round: 1, ..pb::NextQuestion::default() };
    assert_eq!(ask(Ask::Next(next)).to_string(), "next.differential: missing");
    assert_eq!(ask(Ask::Verify(pb::VerifyQuestion::default())).to_string(), "verify.differential: missing");
    let bad = pb::Opinion { answer: Some(step(2, "")), pack_sha256: vec![1; 31] };
    assert_eq!(Opinion::try_from(bad.clone()).unwrap_err().to_string(), "pack_sha256: not 32 bytes");
    let none = pb::Opinion { pack_sha256: vec![], ..bad };
    assert!(Opinion::try_from(none.clone()).is_ok());
    assert_eq!(Answer::try_from(none).unwrap_err().to_string(), "pack_sha256: not 32 bytes");
}
