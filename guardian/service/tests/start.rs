//! Starting: the first person, what a restart keeps, and every reason not to start.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use bodh_guardian::{
    config::Config,
    documents::Fault,
    error::{Cause, Error},
    keys::KeyError,
    people,
    start::StartError,
};
use bodh_identity::{
    sealed::AgeKey,
    signing::{Context, PersonKey, Signer},
};
use support::{DOMAIN, World, enrolment, human, signed_record};

async fn refusal(world: &World) -> StartError {
    match world.open_with(&world.config()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

fn fault(error: &StartError) -> Fault {
    match error {
        StartError::Document(error) => error.fault().clone(),
        other => panic!("another refusal: {other}"),
    }
}

#[tokio::test]
async fn a_folder_without_people_needs_a_first_one() {
    let world = World::new();
    assert!(matches!(refusal(&world).await, StartError::Nobody));
}

#[tokio::test]
async fn the_first_person_is_accepted_once() {
    let world = World::new();
    let state = world.start().await;
    assert_eq!(state.registry().people().len(), 1);
    assert_eq!(world.memory.of("bootstrap").len(), 1);
    state.store().close().await;

    // The same record again changes nothing: the launcher may have ended before it knew.
    let again = Config { bootstrap: Some(world.first.clone()), ..world.config() };
    let state = world.open_with(&again).await.unwrap();
    assert_eq!(state.registry().people().len(), 1);
    state.store().close().await;

    let (eve, id) = (PersonKey::generate().unwrap(), human("eve").to_string());
    let record = enrolment("eve", &["operator"], &eve.public_key(), &id, world.time());
    let second = Config { bootstrap: Some(signed_record(&record, &eve)), ..world.config() };
    let refused = world.open_with(&second).await.err().unwrap();
    assert!(matches!(refused, StartError::Bootstrap(Error::Refused(Cause::BootstrapUsed))), "{refused}");
    let state = world.open_with(&world.config()).await.unwrap();
    assert_eq!(state.registry().people().len(), 1);
}

#[tokio::test]
async fn a_first_person_who_does_not_sign_for_themself_is_refused() {
    let (own, other) = (PersonKey::generate().unwrap(), PersonKey::generate().unwrap());
    let me = human("local").to_string();
    for (by, roles, signer, expected) in [
        (me.as_str(), "operator", &other, Cause::BadSignature),
        (human("eve").as_str(), "operator", &own, Cause::NotTheSigner),
        (me.as_str(), "writer", &own, Cause::NotOperator),
    ] {
        let world = World::new();
        let record = enrolment("local", &[roles], &own.public_key(), by, world.time());
        let config = Config { bootstrap: Some(signed_record(&record, signer)), ..world.config() };
        let refused = world.open_with(&config).await.err().unwrap();
        assert!(matches!(&refused, StartError::Bootstrap(Error::Refused(cause)) if *cause == expected), "{refused}");
    }
}

#[tokio::test]
async fn a_restart_keeps_people_revocations_and_keys() {
    let world = World::new();
    let state = world.start().await;
    let ada = PersonKey::generate().unwrap();
    people::enroll(&state, &human("local"), &world.enrol("ada", &["approver"], &ada)).await.unwrap();
    people::revoke(&state, &human("local"), &human("ada"), "left", "").await.unwrap();
    let before = state.trust_reply();
    let roots = state.authority().bundle().borrow().to_der();

    let state = world.restart(state).await;
    let after = state.trust_reply();
    assert_eq!((after.people, after.revoked), (before.people, before.revoked));
    assert_eq!((after.token_key, after.policy_bundle), (before.token_key, before.policy_bundle));
    assert!(after.epoch > before.epoch, "a gate must see that it has to ask again");
    assert_eq!(state.authority().bundle().borrow().to_der(), roots);
    assert!(state.registry().is_revoked(&human("ada")));
}

#[tokio::test]
async fn another_unlock_key_is_a_clear_error() {
    let mut world = World::new();
    world.start().await.store().close().await;
    let right = std::mem::replace(&mut world.unlock, AgeKey::generate().to_secret_text().to_string());
    let refused = refusal(&world).await;
    assert!(matches!(refused, StartError::Keys(KeyError::Sealed(_))), "{refused}");
    assert!(refused.to_string().contains("unlock key does not open it"), "{refused}");
    world.unlock = "not a key".to_owned();
    assert!(matches!(refusal(&world).await, StartError::Keys(KeyError::Unlock)));
    world.unlock = right;
    assert!(world.open_with(&world.config()).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_gone_is_not_replaced() {
    for name in ["vault.sealed", "token.sealed"] {
        let world = World::new();
        world.start().await.store().close().await;
        std::fs::remove_file(world.path("guardian").join(name)).unwrap();
        let refused = refusal(&world).await;
        assert!(matches!(&refused, StartError::Keys(KeyError::Missing(path)) if path.ends_with(name)), "{refused}");
    }
}

#[tokio::test]
async fn one_sealed_file_does_not_pass_for_another() {
    let world = World::new();
    world.start().await.store().close().await;
    let folder = world.path("guardian");
    std::fs::copy(folder.join("token.sealed"), folder.join("vault.sealed")).unwrap();
    assert!(matches!(refusal(&world).await, StartError::Keys(KeyError::Sealed(_))));
}

#[tokio::test]
async fn documents_are_refused_for_the_right_reason() {
    for (file, remedy) in [("policy.json", "bodh policy sign"), ("binaries.json", "bodh trust binaries")] {
        let world = World::new();
        world.start().await.store().close().await;
        let good = std::fs::read_to_string(world.path(file)).unwrap();

        std::fs::write(world.path(file), "{}").unwrap();
        assert_eq!(fault(&refusal(&world).await), Fault::Unsigned);

        std::fs::write(world.path(file), flipped(&good)).unwrap();
        assert_eq!(fault(&refusal(&world).await), Fault::Altered(human("local")));

        std::fs::write(world.path(file), good.replace("human/local", "human/eve")).unwrap();
        assert_eq!(fault(&refusal(&world).await), Fault::NotOperator(human("eve")));

        std::fs::remove_file(world.path(file)).unwrap();
        let missing = refusal(&world).await;
        assert_eq!(fault(&missing), Fault::Missing);
        let line = missing.to_string();
        assert!(line.contains(file) && line.contains("missing") && line.contains(remedy), "{line}");
        assert!(!line.contains('\n'));
    }
}

/// The same document with one letter of its payload changed.
fn flipped(document: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(document).unwrap();
    let payload = value["payload"].as_str().unwrap();
    let last = if payload.starts_with('e') { "f" } else { "e" };
    value["payload"] = serde_json::Value::String(format!("{last}{}", &payload[1..]));
    value.to_string()
}

#[tokio::test]
async fn one_document_does_not_pass_for_the_other_and_its_content_counts() {
    let world = World::new();
    world.start().await.store().close().await;
    let good = std::fs::read(world.path("policy.json")).unwrap();
    std::fs::copy(world.path("binaries.json"), world.path("policy.json")).unwrap();
    assert_eq!(fault(&refusal(&world).await), Fault::Altered(human("local")));

    let bundle = br#"{"a.cedar":"permit (principal, action == Action::\"nothing\", resource);"}"#.to_vec();
    world.sign("policy.json", &world.operator, &human("local"), Context::Policy, bundle);
    assert!(matches!(fault(&refusal(&world).await), Fault::Content(_)));

    std::fs::write(world.path("policy.json"), good).unwrap();
    world.sign("binaries.json", &world.operator, &human("local"), Context::Binaries, b"{\"entries\":[]}".to_vec());
    assert!(matches!(fault(&refusal(&world).await), Fault::Content(_)));
}

#[tokio::test]
async fn a_person_who_is_not_an_operator_or_is_revoked_signs_nothing() {
    let world = World::new();
    let state = world.start().await;
    let (ada, second) = (PersonKey::generate().unwrap(), PersonKey::generate().unwrap());
    people::enroll(&state, &human("local"), &world.enrol("ada", &["approver"], &ada)).await.unwrap();
    people::enroll(&state, &human("local"), &world.enrol("second", &["operator"], &second)).await.unwrap();
    people::revoke(&state, &human("local"), &human("second"), "lost key", "").await.unwrap();
    state.store().close().await;
    world.sign_policy(&ada, &human("ada"));
    assert_eq!(fault(&refusal(&world).await), Fault::NotOperator(human("ada")));
    world.sign_policy(&second, &human("second"));
    assert_eq!(fault(&refusal(&world).await), Fault::NotOperator(human("second")));
    // A person's name with another's signature.
    world.sign_policy(&ada, &human("local"));
    assert_eq!(fault(&refusal(&world).await), Fault::Altered(human("local")));
}

#[tokio::test]
async fn a_person_put_into_the_database_is_found() {
    let world = World::new();
    world.start().await.store().close().await;
    let eve = PersonKey::generate().unwrap();
    let record = enrolment("eve", &["operator"], &eve.public_key(), human("local").as_str(), world.time());
    let forged = support::request(&record, &eve);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.path("guardian/guardian.db"));
    let database = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("INSERT INTO people (id, key, record, signature, enrolled_ms) VALUES (?, ?, ?, ?, 0)")
        .bind(human("eve").to_string())
        .bind(eve.public_key().to_vec())
        .bind(forged.record)
        .bind(forged.signature)
        .execute(&database)
        .await
        .unwrap();
    database.close().await;
    let refused = refusal(&world).await;
    assert!(matches!(refused, StartError::Registry(_)) && refused.to_string().contains("eve"), "{refused}");
    assert!(refused.to_string().contains(DOMAIN));
}
