//! Sentences as they stand in notes, and the findings that a reader takes from them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_clinical::{Opinion, Origin, Presence, Question, Sex, Subject};
use bodh_intake::{Reader, answer, answer_by};
use bodh_knowledge::{COMMITTED, Pack, inflate};
use std::sync::OnceLock;

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap())
}

fn reader() -> &'static Reader {
    static READER: OnceLock<Reader> = OnceLock::new();
    READER.get_or_init(|| Reader::new(pack()))
}

/// The chart of a note about a 40-year-old: `+Label`, `-Label`, `?Label`, with `~` before what was told of the past; each finding's
/// span is checked on the way.
fn chart(note: &str) -> Vec<String> {
    let subject = Subject { age_days: Some(14_610), sex: Sex::Unknown };
    let question = Question::Extract { subject, note: note.to_owned(), coded: vec![] };
    let Ok(Opinion::Extract(intake)) = answer_by(reader(), &question, pack()) else { panic!("refused") };
    let mut chart = Vec::new();
    for finding in intake.findings {
        let Origin::Text(span) = finding.origin else { panic!("no span") };
        assert!(note.get(span.start as usize..span.end as usize).is_some_and(|said| !said.is_empty()));
        let then = if finding.past { "~" } else { "" };
        chart.push(format!("{then}{}{}", if finding.presence == Presence::Present { "+" } else { "-" }, finding.label));
    }
    chart.extend(
        intake.contradictory.iter().map(|t| format!("?{}", pack().term_label(pack().term(t.as_str()).unwrap()))),
    );
    chart
}

#[track_caller]
fn all(cases: &[(&str, &[&str])]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(note, expected)| {
            let chart = chart(note);
            (chart != *expected).then(|| format!("{note:?}\n   expected {expected:?}\n   read     {chart:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_there() {
    all(&[
        ("She has a fever and a productive cough.", &["+Fever", "+Productive cough"]),
        ("Recurrent seizures since birth.", &["+Seizure"]),
        ("Oedema of both ankles with breathlessness.", &["+Ankle swelling", "+Dyspnea", "+Pedal edema"]),
        ("Pt c/o SOB, N/V x2 days; PMHx: HTN.", &["+Dyspnea", "+Nausea and vomiting", "+Hypertension"]),
        ("He passed out at work.", &["+Syncope", "+Loss of consciousness"]),
        ("Pain in the abdomen after meals.", &["+Abdominal pain", "+Pain worse after meals"]),
        ("There is swelling of the left knee.", &["+Joint swelling"]),
        ("Vomited three times and is dizzy.", &["+Vomiting", "+Feels dizzy"]),
        ("A 3-day history of diarrhoea.", &["+Diarrhea"]),
        ("Complains of blood in her urine.", &["+Hematuria"]),
        ("Weight loss of 6 kg, night sweats.", &["+Weight loss", "+Night sweats"]),
        ("Examination: jaundiced, enlarged liver.", &["+Jaundice", "+Hepatomegaly"]),
        ("Diagnosed with high blood pressure in 2010.", &["+Hypertension"]),
        ("Cervical Lymphadenopathy: Present", &["+Cervical lymphadenopathy"]),
        ("Glucose: Elevated", &["+Hyperglycemia"]),
    ]);
}

#[test]
fn what_was_is_told_apart_from_what_is() {
    all(&[
        (
            "Past medical history: otitis media, eczema.\n\nPresents with a cough.",
            &["~+Otitis media", "~+Eczematoid dermatitis", "+Cough"],
        ),
        ("History of otitis media; now flank pain.", &["~+Otitis media", "+Flank pain"]),
        ("She has a fever.\nPast medical history: fever.", &["+Fever"]),
        // What is told of now counts, and contradicts nothing that was.
        ("Previously fever. Today fever and a cough.", &["+Fever", "+Cough"]),
        ("Past medical history: wheezing\nExamination: no wheezing.", &["-Wheezing"]),
        ("No wheezing on examination.\nPast medical history: wheezing", &["-Wheezing"]),
        ("Past medical history: wheezing. No wheezing then.\n\nWheezing today.", &["+Wheezing"]),
        ("A 3-day history of wheezing.", &["+Wheezing"]),
    ]);
}

#[test]
fn what_is_said_not_to_be_there() {
    all(&[
        ("No fever, chills, or weight loss.", &["-Fever", "-Chills", "-Weight loss"]),
        ("Denies chest pain, palpitations, and headaches.", &["-Chest pain", "-Palpitations", "-Headache"]),
        ("Denies fever but has a cough.", &["-Fever", "+Cough"]),
        // What is excepted from a denial is there, and the denial goes on after it.
        ("Denies pain other than a headache, fever or cough.", &["+Headache", "-Fever", "-Cough"]),
        (
            "Denies chest pain apart from heartburn, palpitations or syncope.",
            &["-Chest pain", "+Gastroesophageal reflux", "-Palpitations", "-Syncope"],
        ),
        ("The wheezing is not heard.", &["-Wheezing"]),
        // "Not" ends at a comma with an exception as without one.
        ("Has not had a cough other than wheezing, fever today.", &["-Cough", "+Wheezing", "+Fever"]),
        ("Without fever; headache for two days.", &["-Fever", "+Headache"]),
        ("Negative for dysuria or hematuria.", &["-Dysuria", "-Hematuria"]),
        ("There is an absence of ataxia.", &["-Ataxia"]),
        ("Pneumothorax was ruled out.", &["-Pneumothorax"]),
        ("Wheezing is absent, crackles are heard.", &["-Wheezing", "+Crackles"]),
        ("Splenomegaly: absent", &["-Splenomegaly"]),
        ("Fever: Denies", &["-Fever"]),
        ("The patient is afebrile and anicteric.", &["-Fever", "-Jaundice"]),
        ("She does not have diarrhea, has vomiting.", &["-Diarrhea", "+Vomiting"]),
        ("No rash, mild edema.", &["-Skin rash", "+Edema"]),
        (
            "No murmurs, gallops or wheezes; however, crackles at both bases.",
            &["-Heart murmur", "-Third heart sound", "-Wheezing", "+Bibasilar crackles"],
        ),
        (
            "Fever with red eyes but no discharge, cracked lips, a strawberry tongue and swollen hands.",
            &["+Fever", "+Red eye", "+Cracked lips", "+Strawberry tongue", "+Hand swelling", "+Conjunctival hyperemia"],
        ),
        ("Pain in the shoulder, no knee pain.", &["+Shoulder pain", "-Knee pain", "+Arthralgia"]),
        ("Neither nausea nor vomiting.", &["-Nausea", "-Vomiting"]),
        ("No evidence of pneumothorax on the film", &["-Pneumothorax"]),
        ("Headache without aura, nausea.", &["+Headache", "+Nausea"]),
        ("Headache without fever, rash or nausea.", &["+Headache", "-Fever", "-Skin rash", "-Nausea"]),
        ("Could not sleep because of headache; no longer has cough.", &["+Headache", "-Cough"]),
        ("Fever, cough and rash were absent.", &["-Fever", "-Cough", "-Skin rash"]),
        ("Nonpruritic; non-productive cough", &["-Pruritus", "+Nonproductive cough"]),
    ]);
}

#[test]
fn what_only_looks_like_a_negation() {
    all(&[
        ("No increase in headache since Monday.", &["+Headache"]),
        ("Not only fever but vomiting too.", &["+Fever", "+Vomiting"]),
        ("The headache is not relieved by rest.", &["+Headache", "-Relieved by rest"]),
        ("Cough with no improvement, fever.", &["+Cough", "+Fever"]),
        ("Gram negative sepsis.", &["+Sepsis"]),
    ]);
}

#[test]
fn what_is_not_the_patients() {
    all(&[
        ("His mother has hypertension.", &["+Family history of hypertension"]),
        ("Family history: seizures, diabetes.\nSocial history: none. Cough.", &["+Cough"]),
        ("Family history of ataxia. She has a tremor.", &["+Tremor"]),
        ("His wife reports that he has had fevers.", &["+Fever"]),
        ("Her father died of a stroke; she has headache.", &["+Headache"]),
        ("Born to a mother with seizures, he had jaundice.", &["+Jaundice"]),
        ("The mother noticed jaundice on day two.", &["+Jaundice"]),
        ("His mother took him to the hospital with a fever.", &["+Fever"]),
        ("A sister takes levothyroxine.", &[]),
        ("Nobody smokes at home.", &[]),
    ]);
}

#[test]
fn what_is_only_thought_of() {
    all(&[
        ("She is worried that it is a stroke.", &[]),
        ("He was told that it was a stroke.", &[]),
        ("She is at risk of stroke.", &[]),
        ("Chest film to rule out pneumothorax.", &[]),
        ("Return if fever or vomiting.", &[]),
        ("Possible seizure; headache.", &["+Headache"]),
        ("Vaccinated against jaundice.", &[]),
        ("On seizure precautions.", &[]),
        ("Plan: treat fever.", &[]),
        ("Proteinuria: pending", &[]),
    ]);
}

#[test]
fn what_is_said_twice() {
    all(&[
        ("Fever. Later again fever.", &["+Fever"]),
        ("Denied fever at home. Febrile on arrival.", &["+Fever"]),
        ("No fever at home. Temperature: 39.1 °C", &["+Fever"]),
        ("Fever on arrival. No fever.", &["?Fever"]),
        ("No seizures. History of seizures.", &["-Seizure", "+Known epilepsy"]),
    ]);
}

#[test]
fn numbers() {
    all(&[
        (
            "T 38.4, HR 120, BP 85/50, RR 26, SpO2 88%",
            &[
                "+Fever",
                "+Tachycardia",
                "+Hypotension",
                "+Decreased diastolic blood pressure",
                "+Tachypnea",
                "+Hypoxemia",
            ],
        ),
        (
            "Temperature: 36.8°C (98.2°F)\nBlood Pressure: 130/85 mmHg",
            &[
                "-Fever",
                "-Hypothermia",
                "-Elevated systolic blood pressure",
                "-Hypotension",
                "-Elevated diastolic blood pressure",
                "-Decreased diastolic blood pressure",
            ],
        ),
        ("Fever at home. Temperature: 36.9 °C", &["+Fever", "-Hypothermia"]),
        ("WBC: 15,000/mm3", &["+Leukocytosis"]),
    ]);
}

#[test]
fn noise() {
    all(&[
        ("He does his homework; all is well.", &[]),
        ("Dullness to percussion.", &[]),
        ("", &[]),
        ("Weight: 45 kg.", &[]),
    ]);
}

#[test]
fn the_pack_alone_is_enough() {
    let question =
        Question::Extract { subject: Subject::default(), note: "Fever, no cough.".to_owned(), coded: vec![] };
    assert_eq!(answer(&question, pack()), answer_by(reader(), &question, pack()));
}
