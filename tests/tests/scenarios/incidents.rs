//! A claim that a physician marks as false: a review rule watches for similar cases until it is reversed or lapses.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{MARFAN, Stage, Up, sample, until};

const CLAIM: &str = "OMIM:154700/HP:0001083";

/// Cases like the sample: findings dropped, made more general or more special, replaced by siblings, or lost among
/// others; and every one another person.
const SIMILAR: [(&str, &str, &[&str]); 10] = [
    // Without scoliosis and myopia.
    ("P31Y", "FEMALE", &["0001083", "0002616", "0001166", "0001519", "0000767", "0001382", "0001634"]),
    // Without scoliosis, myopia, pectus and hypermobility.
    ("P12Y", "MALE", &["0001083", "0002616", "0001166", "0001519", "0001634"]),
    // Three of nine.
    ("P7Y", "FEMALE", &["0001083", "0002616", "0001166"]),
    // Four findings in the words of their parents.
    (
        "P45Y",
        "MALE",
        &["0001083", "0004942", "0001166", "0000098", "0000766", "0002650", "0001382", "0001633", "0000545"],
    ),
    // Four as children or siblings: subluxation, pectus carinatum, thoracic scoliosis, high myopia.
    (
        "P19Y",
        "FEMALE",
        &["0001132", "0002616", "0001166", "0001519", "0000768", "0002944", "0001382", "0001634", "0011003"],
    ),
    // All of it, among eczema, joint pain, autism and anaemia.
    (
        "P23Y",
        "MALE",
        &[
            "0001083", "0002616", "0001166", "0001519", "0000767", "0002650", "0001382", "0001634", "0000545",
            "0000964", "0002829", "0000716", "0001903",
        ],
    ),
    // Six of nine, and two that do not belong.
    ("P2Y", "MALE", &["0001083", "0002616", "0001166", "0001519", "0002650", "0000545", "0000964", "0002829"]),
    // Ascending aneurysm, tall stature, carinatum and mitral regurgitation in place of what is nearest to them.
    (
        "P66Y",
        "FEMALE",
        &["0001083", "0004970", "0001166", "0000098", "0000768", "0002650", "0001382", "0001653", "0000545"],
    ),
    // Five of nine, with striae and flat feet.
    ("P38Y", "FEMALE", &["0001083", "0002616", "0001166", "0001519", "0001382", "0001065", "0001763"]),
    // Seen by an eye doctor first: a detached retina beside five of nine.
    ("P50Y", "MALE", &["0001083", "0002616", "0001634", "0000545", "0000541", "0001382"]),
];

/// Cases that share one finding with the sample, and are something else.
const NEAR_MISSES: [(&str, &str, &[&str]); 6] = [
    // The lens: seizures, delay, venous thrombosis, osteoporosis.
    ("P9Y", "MALE", &["0001083", "0001250", "0001263", "0002625", "0000939"]),
    // The spine: ataxia, high arches, wasting, a thick heart.
    ("P17Y", "FEMALE", &["0002650", "0001251", "0001761", "0003693", "0001639"]),
    // Short sight: night blindness, a pigmented retina.
    ("P28Y", "MALE", &["0000545", "0000662", "0000510", "0000512"]),
    // Loose joints: stretching, bruising skin with striae.
    ("P33Y", "FEMALE", &["0001382", "0000974", "0000978", "0001065"]),
    // The chest: short, wide-set eyes, pulmonary stenosis, webbed neck.
    ("P5Y", "MALE", &["0000767", "0004322", "0000316", "0001642", "0000494", "0000465"]),
    // The mitral valve: cystic kidneys, high pressure, cysts of the liver.
    ("P48Y", "FEMALE", &["0001634", "0000113", "0000822", "0001407"]),
];
/// Other bundled samples, each of another system.
const OTHERS: [&str; 4] =
    ["copper_and_tremor.json", "boy_who_falls.json", "recurrent_chest_infections.json", "burning_hands.json"];

/// A phenopacket of an invented person.
fn written(stage: &Stage, name: &str, (age, sex, terms): &(&str, &str, &[&str])) -> PathBuf {
    let feature = |term: &&str| json!({ "type": { "id": format!("HP:{term}"), "label": "a finding" } });
    let case = json!({
        "id": name,
        "subject": { "id": format!("{name}-subject"), "sex": sex,
            "timeAtLastEncounter": { "age": { "iso8601duration": age } } },
        "phenotypicFeatures": terms.iter().map(feature).collect::<Vec<_>>(),
        "metaData": { "created": "2026-01-01T00:00:00Z", "createdBy": "bodh tests", "phenopacketSchemaVersion": "2.0",
            "resources": [] },
    });
    stage.write(&format!("{name}.json"), case.to_string())
}

fn similar(stage: &Stage) -> Vec<PathBuf> {
    SIMILAR.iter().enumerate().map(|(n, case)| written(stage, &format!("similar-{n}"), case)).collect()
}

fn dissimilar(stage: &Stage) -> Vec<PathBuf> {
    let near = NEAR_MISSES.iter().enumerate().map(|(n, case)| written(stage, &format!("near-miss-{n}"), case));
    near.chain(OTHERS.into_iter().map(sample)).collect()
}

/// A signed session in which ann marked a claim as false; the rule that came of it.
fn marked(stage: &Stage) -> Value {
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    for item in stage.inbox() {
        stage.decide(item["escalation"].as_str().unwrap(), "approve");
    }
    let session = report["session"].as_str().unwrap();
    let line = ["incident", "mark", session, CLAIM, "--reason", "the lens is in place", "--state", "DIR"];
    let said = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat()).ended(0).json();
    said["rule"].clone()
}

/// The review that a case is sent to, if it is.
fn review(stage: &Stage, case: &PathBuf) -> Option<Value> {
    let said = stage.diagnose(case, &[]);
    assert!(said.code == 0 || said.code == 3, "{said:?}");
    let report = said.json();
    assert_eq!(report["ignored"], json!([]), "every finding is one: {}", case.display());
    report["escalations"].as_array().unwrap().iter().find(|one| one["kind"] == "review_rule").cloned()
}

fn standing(stage: &Stage, rule: &Value) -> Value {
    let said = stage.bodh(&["rules", "--state", "DIR", "--json"]).ended(0).json();
    said["rules"].as_array().unwrap().iter().find(|one| one["id"] == rule["id"]).unwrap().clone()
}

fn reverse(stage: &Stage, rule: &Value, who: &str) -> crate::harness::Output {
    let id = rule["id"].as_str().unwrap();
    stage.bodh(&["rules", "reverse", id, "--reason", "too wide", "--state", "DIR", "--as", who])
}

#[test]
fn an_incident_sends_ten_similar_cases_to_review_and_ten_others_not_until_its_rule_is_reversed() {
    let stage = Stage::new();
    let _up = stage.up();
    let rule = marked(&stage);
    assert_eq!((&rule["claim"], &rule["reversed"]), (&CLAIM.into(), &false.into()));
    let (similar, dissimilar) = (similar(&stage), dissimilar(&stage));
    assert_eq!((similar.len(), dissimilar.len()), (10, 10));
    for case in &similar {
        let asked = review(&stage, case).unwrap_or_else(|| panic!("{} is not reviewed", case.display()));
        let named = json!({ "rule": rule["id"], "incident": rule["incident"] });
        let by = asked["rules"].as_array().unwrap();
        assert_eq!((by.len(), &by[0]["rule"], &by[0]["incident"]), (1, &named["rule"], &named["incident"]), "{asked}");
        assert!(by[0]["likeness_permille"].as_u64() >= Some(400), "{asked}");
        let entry = |entry: &Value| entry["kind"] == "escalation" && entry["resource"] == asked["id"];
        let entry = stage.entries().into_iter().find(entry).unwrap();
        assert!(entry["policies"].as_array().unwrap().contains(&rule["id"]), "the record names the rule: {entry}");
    }
    for case in &dissimilar {
        assert_eq!(review(&stage, case), None, "{}", case.display());
    }
    reverse(&stage, &rule, "ann").ended(0);
    for case in &similar {
        assert_eq!(review(&stage, case), None, "a reversed rule asks nothing: {}", case.display());
    }
    let reversal = &standing(&stage, &rule)["reversal"];
    assert_eq!(
        (&reversal["signer"], &reversal["reason"]),
        (&"spiffe://bodh.internal/human/ann".into(), &"too wide".into())
    );
    let told = || stage.entries().iter().any(|entry| entry["action"] == "reverse_rule" && entry["kind"] == "rule");
    assert!(until(Duration::from_secs(10), told), "published a moment after the answer");
    let entries = stage.entries();
    let of_rule = |action: &str| {
        let found: Vec<_> = entries
            .iter()
            .filter(|e| e["kind"] == "rule" && e["action"] == action && e["resource"] == rule["id"])
            .collect();
        assert_eq!(found.len(), 1, "{action}: {found:?}");
        found[0].clone()
    };
    assert_eq!(of_rule("make_rule")["actors"][0], "spiffe://bodh.internal/human/ann");
    let reversed = of_rule("reverse_rule");
    assert_eq!(reversed["actors"][0], "spiffe://bodh.internal/human/ann");
    assert!(reversed["commitments"]["statement_signature"].is_string(), "signed: {reversed}");
    assert!(entries.iter().any(|entry| entry["kind"] == "incident" && entry["resource"] == rule["incident"]));
    // Once is for good.
    let again = reverse(&stage, &rule, "ann");
    assert!(again.code == 1 || again.code == 2, "{again:?}");
    stage.bodh(&["audit", "verify", "DIR"]).ended(0);
}

#[test]
fn a_rule_is_reversed_by_a_physician_or_a_compliance_officer_and_by_nobody_else() {
    let stage = Stage::new();
    let up = stage.up();
    let rule = marked(&stage);
    let refused = reverse(&stage, &rule, "local");
    assert!(refused.code == 1 && refused.stderr.contains("refuses"), "{refused:?}");
    assert_eq!(standing(&stage, &rule)["reversed"], false);
    let refusal = |entry: &Value| entry["kind"] == "refusal" && entry["action"] == "reverse_rule";
    let refusals = || stage.entries().into_iter().filter(refusal).collect::<Vec<_>>();
    // The entry is durable before the answer, and published a moment later.
    assert!(until(Duration::from_secs(10), || !refusals().is_empty()));
    let refusals = refusals();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(refusals[0]["actors"][0], "spiffe://bodh.internal/human/local");
    assert_eq!(refusals[0]["resource"], rule["id"]);
    assert!(review(&stage, &sample(MARFAN)).is_some(), "it still asks");
    stage.bodh(&["human", "enroll", "cleo", "--role", "compliance", "--state", "DIR"]).ended(0);
    reverse(&stage, &rule, "cleo").ended(0);
    assert_eq!(standing(&stage, &rule)["reversed"], true);
    drop(up);
    // What was decided outlives the panel.
    let kept = standing(&stage, &rule);
    assert_eq!((&kept["reversed"], &kept["reversal"]["reason"]), (&true.into(), &"too wide".into()));
    assert_eq!(review(&stage, &sample(MARFAN)), None);
}

fn short_lived(stage: &Stage) -> Up {
    let config = stage.write("panel.toml", "review_rules_lapse_after = \"15 seconds\"\n");
    stage.up_with(&["--config", config.to_str().unwrap()])
}

#[test]
fn a_rule_that_has_lapsed_asks_nothing() {
    let stage = Stage::new();
    let _up = short_lived(&stage);
    let rule = marked(&stage);
    assert!(review(&stage, &sample(MARFAN)).is_some(), "in force");
    let said = || stage.bodh(&["rules", "--state", "DIR"]).ended(0).stdout;
    assert!(said().contains("until"), "{}", said());
    assert!(until(Duration::from_secs(30), || said().contains("lapsed")), "{}", said());
    assert_eq!(review(&stage, &sample(MARFAN)), None, "lapsed");
    assert_eq!(standing(&stage, &rule)["reversed"], false, "nobody reversed it");
}

#[test]
fn only_a_physician_marks_and_only_what_was_claimed() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    let mark = |claim: &str, who: &str| {
        let session = report["session"].as_str().unwrap();
        let line = ["incident", "mark", session, claim, "--reason", "r", "--state", "DIR", "--as", who];
        stage.bodh(&line)
    };
    for refused in [mark(CLAIM, "local"), mark("OMIM:154700/HP:0000001", "ann"), mark("nonsense", "ann")] {
        assert!(refused.code == 1 || refused.code == 2, "{refused:?}");
        assert!(!refused.stderr.contains("panicked"), "{refused:?}");
    }
    assert_eq!(review(&stage, &sample(MARFAN)), None, "no rule came of it");
}
