use crate::{Format, FormatError, MAX_FEATURES, read};
use bodh_clinical::{CodedFeature, Presence, Sex, TermId};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(value: &Value) -> Result<crate::Parsed, FormatError> {
    read(value.to_string().as_bytes())
}

fn refusal(value: &Value) -> String {
    parse(value).unwrap_err().to_string()
}

fn whole() -> Value {
    json!({
        "id": "packet-7", "subject": {
            "id": "canary-subject", "alternateIds": ["canary-other"], "dateOfBirth": "1980-01-01T00:00:00Z", "name": "canary-name",
            "timeAtLastEncounter": {"age": {"iso8601duration": "P5Y8M"}}, "sex": "FEMALE"
        },
        "phenotypicFeatures": [
            {"type": {"id": "HP:0001083", "label": "canary-label"}, "onset": {"age": {"iso8601duration": "P1Y"}}},
            {"type": {"id": "HP:0000501"}, "excluded": true, "description": "canary-description"},
            {"type": {"id": "canary term"}},
            {"type": {"id": "HP:0001250"}, "excluded": false}
        ],
        "measurements": [{"assay": {"id": "LOINC:1"}}],
        "interpretations": [{"diagnosis": {"disease": {"id": "OMIM:1", "label": "canary-answer"}}}],
        "diseases": [{"term": {"id": "OMIM:2", "label": "canary-disease"}}],
        "metaData": {"phenopacketSchemaVersion": "2.0", "externalReferences": [{"id": "PMID:1", "description": "canary-title"}]}
    })
}

#[test]
fn a_packet_is_read_and_its_answers_are_gone() {
    let parsed = parse(&whole()).unwrap();
    assert_eq!((parsed.format, parsed.case_id.as_deref()), (Format::Phenopacket, Some("packet-7")));
    let case = parsed.case;
    assert_eq!((case.subject.age_days, case.subject.sex), (Some(2_069), Sex::Female));
    let coded: Vec<_> = case.coded.iter().map(|f| (f.term.as_str(), f.presence)).collect();
    use Presence::{Excluded, Present};
    assert_eq!(coded, [("HP:0001083", Present), ("HP:0000501", Excluded), ("HP:0001250", Present)]);
    assert_eq!(case.note, "");
    assert_eq!(case.warnings.len(), 3);
    assert!(case.warnings.contains(&"1 of 4 features have no well-formed term id and were ignored".to_owned()));
    let mut identifiers: Vec<_> = case.identifiers.entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    identifiers.sort_unstable();
    assert_eq!(
        identifiers,
        [
            ("case id", "packet-7"),
            ("subject alternateIds", "canary-other"),
            ("subject dateOfBirth", "1980-01-01T00:00:00Z"),
            ("subject id", "canary-subject"),
            ("subject name", "canary-name"),
        ]
    );
    let rest = format!("{:?}{:?}{:?}{}", case.subject, case.coded, case.warnings, case.note);
    assert!(!rest.contains("canary"), "{rest}");
}

#[test]
fn snake_case_reads_the_same() {
    fn snake(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(k, v)| {
                    let key: String = k
                        .chars()
                        .flat_map(|c| if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
                        .collect();
                    (key, snake(v))
                })
                .collect(),
            Value::Array(items) => items.iter().map(snake).collect(),
            other => other.clone(),
        }
    }
    let (camel, snake) = (parse(&whole()).unwrap(), parse(&snake(&whole())).unwrap());
    assert_eq!(
        (camel.case.coded, camel.case.subject, camel.case.warnings.len()),
        (snake.case.coded, snake.case.subject, snake.case.warnings.len())
    );
}

#[test]
fn ages_in_every_form() {
    let age = |time: Value| {
        parse(&json!({"subject": {"dateOfBirth": "2000-01-01", "timeAtLastEncounter": time}, "metaData": {}}))
    };
    let days = |time: Value| age(time).unwrap().case.subject.age_days;
    assert_eq!(days(json!({"age": {"iso8601duration": "P2D"}})), Some(2));
    assert_eq!(
        days(json!({"ageRange": {"start": {"iso8601duration": "P10D"}, "end": {"iso8601duration": "P20D"}}})),
        Some(15)
    );
    assert_eq!(days(json!({"timestamp": "2000-02-01T00:00:00Z"})), Some(31));
    assert_eq!(days(json!({"interval": {"start": "2000-01-01T00:00:00Z", "end": "2000-01-03T00:00:00Z"}})), Some(2));
    for unusable in [json!({"gestationalAge": {"weeks": 30}}), json!({"ontologyClass": {"id": "HP:0003623"}})] {
        let parsed = age(unusable).unwrap();
        assert_eq!((parsed.case.subject.age_days, parsed.case.warnings.len()), (None, 1));
    }
    let said = |time: Value| age(time).unwrap_err().to_string();
    assert_eq!(
        said(json!({"age": {"iso8601duration": "-P5Y"}})),
        "subject.timeAtLastEncounter.age.iso8601duration: a negative age"
    );
    assert_eq!(
        said(json!({"age": {"iso8601duration": "P400Y"}})),
        "subject.timeAtLastEncounter.age.iso8601duration: an age above 130 years"
    );
    assert!(said(json!({"age": {"iso8601duration": "canary"}})).ends_with("not an ISO 8601 duration such as P5Y8M"));
    assert!(said(json!({"age": {"iso8601duration": 5}})).ends_with("iso8601duration: expected a text"));
    assert!(
        said(json!({"timestamp": "1999-01-01T00:00:00Z"}))
            .starts_with("subject.timeAtLastEncounter.timestamp: a negative age")
    );
    assert!(
        said(json!({"ageRange": {"start": {"iso8601duration": "P9Y"}, "end": {"iso8601duration": "P2Y"}}}))
            .ends_with("ends before it starts")
    );
}

#[test]
fn refused_for_the_right_reason() {
    let with = |feature: Value| refusal(&json!({"phenotypicFeatures": [feature]}));
    assert_eq!(
        with(json!({"type": {"id": "HP:1"}, "excluded": "true"})),
        "phenotypicFeatures[0].excluded: expected true or false"
    );
    assert_eq!(
        with(json!({"type": {"id": "HP:1"}, "negated": true})),
        "phenotypicFeatures[0].negated: of version 1; version 2 says excluded"
    );
    assert_eq!(with(json!("HP:1")), "phenotypicFeatures[0]: expected an object");
    assert_eq!(refusal(&json!({"phenotypicFeatures": {}})), "phenotypicFeatures: expected a list");
    assert_eq!(
        refusal(&json!({"phenotypicFeatures": [], "phenotypic_features": []})),
        "phenotypicFeatures: given twice, in camelCase and in snake_case"
    );
    assert!(
        refusal(&json!({"phenotypicFeatures": [], "metaData": {"phenopacketSchemaVersion": "1.0.0"}}))
            .contains("only version 2")
    );
    assert!(
        refusal(&json!({"phenotypicFeatures": [], "subject": {"sex": "canary"}})).starts_with("subject.sex: expected")
    );
    assert!(
        refusal(&json!({"phenotypicFeatures": [], "subject": {"taxonomy": {"id": "NCBITaxon:10090"}}}))
            .contains("only humans")
    );
    let many: Vec<Value> = vec![json!({"type": {"id": "HP:0001250"}}); MAX_FEATURES + 1];
    assert_eq!(
        parse(&json!({"phenotypicFeatures": many})),
        Err(FormatError::TooMany { path: "phenotypicFeatures", limit: MAX_FEATURES })
    );
    let ids: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert!(matches!(
        parse(&json!({"phenotypicFeatures": [], "subject": {"alternateIds": ids}})),
        Err(FormatError::TooMany { .. })
    ));
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        features in proptest::collection::vec((0_u32..10_000_000, any::<bool>()), 0..60),
        days in proptest::option::of(0_u32..40_000),
        sex in 0_u8..4,
        id in "[ -~é]{0,40}",
    ) {
        let written: Vec<Value> = features.iter().map(|(n, excluded)| json!({"type": {"id": format!("HP:{n:07}")}, "excluded": excluded})).collect();
        let mut packet = json!({"id": id, "subject": {"sex": sex}, "phenotypicFeatures": written});
        if let Some(days) = days {
            packet["subject"]["timeAtLastEncounter"] = json!({"age": {"iso8601duration": format!("P{days}D")}});
        }
        let case = parse(&packet).unwrap().case;
        let expected: Vec<CodedFeature> = features.iter().map(|(n, excluded)| CodedFeature {
            term: TermId::parse(&format!("HP:{n:07}")).unwrap(),
            presence: if *excluded { Presence::Excluded } else { Presence::Present },
        }).collect();
        prop_assert_eq!(case.coded, expected);
        prop_assert_eq!(case.subject.age_days, days);
        prop_assert_eq!(case.subject.sex, [Sex::Unknown, Sex::Female, Sex::Male, Sex::Other][usize::from(sex)]);
        prop_assert!(case.warnings.is_empty());
    }
}
