//! Identities: who gets a certificate, at the Workload API and at the door, and who does not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_guardian::{
    door::{self, MAX_NONCES},
    error::{Cause, Error},
    issuer,
    ledger::{CAPACITY, Ledger},
    people,
    refusals::Refusals,
    state::State,
    tend,
};
use bodh_guardian_api::{pb, proof};
use bodh_identity::{
    SpiffeId,
    attest::Process,
    signing::{Context, PersonKey, Signer},
};
use support::{AGENT_EXE, AUDIT_EXE, CLIENT_EXE, DOMAIN, LAUNCHER, Memory, Proc, Shared, World, human, service};

fn agent() -> SpiffeId {
    SpiffeId::agent(DOMAIN, "one").unwrap()
}

async fn attest(state: &State, caller: &Proc) -> Result<SpiffeId, &'static str> {
    issuer::attest(state, caller).await.map_err(|error| error.code())
}

#[tokio::test]
async fn an_executable_of_the_manifest_gets_its_identity() {
    let world = World::new();
    let state = world.start().await;
    let id = attest(&state, &Proc::new(10, Some(AGENT_EXE))).await.unwrap();
    assert_eq!(id, agent());
    let svid = issuer::issue(&state, &id).unwrap();
    assert_eq!(svid.id(), &agent());
    let shown = state.authority().identities().into_iter().find(|shown| shown.id == agent().to_string()).unwrap();
    assert_eq!((shown.pid, shown.issued, shown.exe_sha256.as_slice()), (10, 1, AGENT_EXE.as_slice()));
    let issued = issued(&world, &agent()).await;
    assert_eq!((issued.kind, issued.resource.as_str()), (Kind::Issue, svid.serial()));
}

async fn issued(world: &World, id: &SpiffeId) -> Draft {
    for _ in 0..1000 {
        let found = world.memory.of(issuer::ISSUE_SVID).into_iter().find(|draft| draft.actors == [id.to_string()]);
        match found {
            Some(draft) => return draft,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    panic!("no entry");
}

#[tokio::test]
async fn processes_are_refused_for_the_right_reason() {
    let world = World::new();
    let state = world.start().await;
    assert_eq!(attest(&state, &Proc::new(10, Some([9; 32]))).await, Err("unknown_executable"));
    assert_eq!(attest(&state, &Proc::new(10, Some(CLIENT_EXE))).await, Err("no_identity"));
    let gone = Proc::new(10, Some(AGENT_EXE));
    gone.alive.store(false, Ordering::SeqCst);
    assert_eq!(attest(&state, &gone).await, Err("caller_gone"));
    people::revoke(&state, &human("local"), &agent(), "drift", "").await.unwrap();
    assert_eq!(attest(&state, &Proc::new(10, Some(AGENT_EXE))).await, Err("revoked"));
    assert!(matches!(issuer::issue(&state, &agent()), Err(Error::Refused(Cause::Revoked))));
    // Each of them is in the record, counted.
    state.refusals().write(state.ledger());
    let flush = Draft::new(Kind::Note, "flush", state.ledger().next_key());
    state.ledger().record(flush).await.unwrap();
    let causes: Vec<(Kind, String, u64)> = world
        .memory
        .of(issuer::ISSUE_SVID)
        .into_iter()
        .filter(|draft| draft.verdict == Some(Verdict::Deny))
        .map(|draft| (draft.kind, draft.cause, draft.count))
        .collect();
    let expected = [("caller_gone", 1), ("no_identity", 1), ("revoked", 2), ("unknown_executable", 1)];
    assert_eq!(causes, expected.map(|(cause, count)| (Kind::Refusal, cause.to_owned(), count)));
}

#[tokio::test]
async fn one_living_process_has_an_identity() {
    let world = World::new();
    let state = world.start().await;
    let (first, second) = (Proc::new(10, Some(AGENT_EXE)), Proc::new(11, Some(AGENT_EXE)));
    assert!(attest(&state, &first).await.is_ok());
    assert!(attest(&state, &first).await.is_ok(), "its renewal");
    assert_eq!(attest(&state, &second).await, Err("second_process"));
    assert!(attest(&state, &Proc::new(12, Some(AUDIT_EXE))).await.is_ok(), "another identity is free");
    first.alive.store(false, Ordering::SeqCst);
    assert!(attest(&state, &second).await.is_ok());
    first.alive.store(true, Ordering::SeqCst);
    assert_eq!(attest(&state, &first).await, Err("second_process"));
    // The same number, another process.
    let mut reused = Proc::new(11, Some(AGENT_EXE));
    reused.process = Process { pid: 11, started: 99 };
    assert_eq!(attest(&state, &reused).await, Err("second_process"));
}

#[tokio::test]
async fn a_hidden_executable_needs_the_launchers_word() {
    let world = World::new();
    let state = world.start().await;
    let hidden = Proc::new(10, None);
    let mut launcher = Proc::new(1, None);
    launcher.process = LAUNCHER;
    let vouch =
        |who: &Proc, what: &[u8]| issuer::vouch(&state, who, hidden.process, what).map_err(|error| error.code());
    assert_eq!(vouch(&Proc::new(66, None), &AGENT_EXE), Err("not_the_launcher"));
    assert_eq!(vouch(&launcher, &[9; 32]), Err("unknown_executable"));
    assert_eq!(vouch(&launcher, &[]), Err("unknown_executable"));
    // Its word may come a moment after the child.
    let asking = tokio::spawn({
        let (state, hidden) = (state.clone(), hidden.clone());
        async move { attest(&state, &hidden).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(vouch(&launcher, &AGENT_EXE), Ok(()));
    assert_eq!(asking.await.unwrap(), Ok(agent()));
    // It holds for that process only; and what is measured counts more than what is said.
    tokio::time::pause();
    assert_eq!(attest(&state, &Proc::new(12, None)).await, Err("unknown_executable"));
    let measured = Proc { executable: Some([9; 32]), ..hidden };
    assert_eq!(attest(&state, &measured).await, Err("unknown_executable"));
}

#[tokio::test]
async fn certificates_are_given_before_the_record_is_up_within_bounds() {
    let world = World::new();
    let state = world.start().await;
    world.memory.away.store(true, Ordering::SeqCst);
    let id = attest(&state, &Proc::new(10, Some(AUDIT_EXE))).await.unwrap();
    let mut given = 0;
    while issuer::issue(&state, &id).is_ok() {
        given += 1;
        assert!(given <= CAPACITY + 64, "the queue is bounded");
    }
    assert!(given >= CAPACITY - 64, "{given}");
    assert!(matches!(issuer::issue(&state, &id), Err(Error::Unrecorded)));
}

#[tokio::test]
async fn the_guardians_own_certificate_and_the_roots_rotate_in_place() {
    let world = World::new();
    let state = world.start().await;
    let before = state.source().current().serial().to_owned();
    tend::renew_once(&state).unwrap();
    assert_ne!(state.source().current().serial(), before);
    let old = state.authority().bundle().borrow().certificates().next().unwrap().clone();
    let mut bundle = state.authority().bundle();
    bundle.mark_unchanged();
    let step = |hours: u64| std::time::SystemTime::now() + Duration::from_secs(hours * 3600);
    assert!(!state.authority().advance(step(1)).unwrap());
    assert!(state.authority().advance(step(13)).unwrap(), "a successor is announced");
    assert!(bundle.has_changed().unwrap());
    assert_eq!(bundle.borrow().certificates().count(), 2);
    assert!(state.authority().advance(step(15)).unwrap(), "it takes over");
    assert!(bundle.borrow().certificates().any(|root| *root == old), "the old one is still trusted");
}

// The door.

struct Door {
    world: World,
    state: Arc<State>,
    client: Proc,
    spki: Vec<u8>,
}

impl Door {
    async fn new() -> Self {
        let world = World::new();
        let state = world.start().await;
        // Any P-256 key of the right form: the one of a certificate made for the purpose.
        let svid = issuer::issue(&state, &agent()).unwrap();
        let spki = spki_of(svid.chain()[0].as_ref());
        Self { world, state, client: Proc::new(20, Some(CLIENT_EXE)), spki }
    }

    fn challenge(&self, name: &str) -> Result<Vec<u8>, Error> {
        let request = pb::ChallengeRequest { human: name.to_owned() };
        door::challenge(&self.state, &self.client, &request).map(|reply| reply.nonce)
    }

    fn proof(&self, name: &str, nonce: &[u8], key: &PersonKey) -> pb::HumanSvidRequest {
        pb::HumanSvidRequest {
            human: name.to_owned(),
            nonce: nonce.to_vec(),
            public_key: self.spki.clone(),
            signature: key.sign(Context::Door, &proof(nonce, &self.spki)).unwrap().to_vec(),
        }
    }

    async fn prove(&self, request: &pb::HumanSvidRequest) -> Result<pb::HumanSvidReply, Error> {
        door::human_svid(&self.state, &self.client, request).await
    }
}

/// The SubjectPublicKeyInfo of a certificate, found by its fixed P-256 prefix (RFC 5480): 26 bytes, then the 65-byte
/// point.
fn spki_of(certificate: &[u8]) -> Vec<u8> {
    let prefix = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let at = certificate.windows(prefix.len()).position(|window| window == prefix).unwrap();
    certificate[at..at + 91].to_vec()
}

#[tokio::test]
async fn a_proven_person_gets_a_certificate_for_five_minutes() {
    let door = Door::new().await;
    let nonce = door.challenge("local").unwrap();
    let reply = door.prove(&door.proof("local", &nonce, &door.world.operator)).await.unwrap();
    assert_eq!((reply.chain.len(), reply.bundle.len(), reply.trust_domain.as_str()), (1, 1, DOMAIN));
    let uri = human("local").to_string();
    assert!(reply.chain[0].windows(uri.len()).any(|window| window == uri.as_bytes()));
    let recorded = door.world.memory.of(door::ISSUE_HUMAN_SVID);
    assert_eq!((recorded.len(), recorded[0].actors.as_slice()), (1, [uri].as_slice()));
}

#[tokio::test]
async fn the_door_refuses_everything_else_with_one_answer() {
    let door = Door::new().await;
    let (ada, eve) = (PersonKey::generate().unwrap(), PersonKey::generate().unwrap());
    people::enroll(&door.state, &human("local"), &door.world.enrol("ada", &["approver"], &ada)).await.unwrap();
    people::revoke(&door.state, &human("local"), &human("ada"), "left", "").await.unwrap();
    let own = &door.world.operator;
    let mut refused = Vec::new();

    let unknown = door.challenge("eve").unwrap();
    refused.push(door.prove(&door.proof("eve", &unknown, &eve)).await);
    let revoked = door.challenge("ada").unwrap();
    refused.push(door.prove(&door.proof("ada", &revoked, &ada)).await);
    let forged = door.challenge("local").unwrap();
    refused.push(door.prove(&door.proof("local", &forged, &eve)).await);
    // That nonce is used up now, also for the right key.
    refused.push(door.prove(&door.proof("local", &forged, own)).await);
    let others = door.challenge("ada").unwrap();
    refused.push(door.prove(&door.proof("local", &others, own)).await);
    let mut swapped = door.proof("local", &door.challenge("local").unwrap(), own);
    let last = swapped.public_key.len() - 1;
    swapped.public_key[last] ^= 1;
    refused.push(door.prove(&swapped).await);
    refused.push(door.prove(&door.proof("local", &[7; 32], own)).await);
    let late = door.challenge("local").unwrap();
    door.world.forward(Duration::from_secs(61));
    refused.push(door.prove(&door.proof("local", &late, own)).await);

    for answer in refused {
        let status = answer.unwrap_err().status();
        assert_eq!((status.code(), status.message()), (tonic::Code::PermissionDenied, "refused: door"));
    }
    assert!(door.world.memory.of(door::ISSUE_HUMAN_SVID).is_empty());
}

#[tokio::test]
async fn only_the_command_line_stands_at_the_door() {
    let mut door = Door::new().await;
    door.client = Proc::new(20, Some(AGENT_EXE));
    assert!(matches!(door.challenge("local"), Err(Error::Refused(Cause::UnknownExecutable))));
    let request = door.proof("local", &[7; 32], &door.world.operator);
    assert!(matches!(door.prove(&request).await, Err(Error::Refused(Cause::UnknownExecutable))));
    // Hidden: at least our own user.
    door.client = Proc { executable: None, uid: door.client.uid + 1, ..door.client };
    assert!(matches!(door.challenge("local"), Err(Error::Refused(Cause::UnknownExecutable))));
    door.client.uid -= 1;
    assert!(door.challenge("local").is_ok());
    assert!(matches!(door.challenge("../etc"), Err(Error::Malformed("name"))));
}

#[tokio::test]
async fn nonces_are_bounded_and_make_room_when_they_end() {
    let door = Door::new().await;
    for _ in 0..MAX_NONCES {
        door.challenge("local").unwrap();
    }
    assert!(matches!(door.challenge("local"), Err(Error::TooMany("challenges"))));
    door.world.forward(Duration::from_secs(61));
    assert!(door.challenge("local").is_ok());
}

#[tokio::test]
async fn a_key_that_is_not_p256_is_refused() {
    let mut door = Door::new().await;
    door.spki = vec![1, 2, 3];
    let nonce = door.challenge("local").unwrap();
    let refused = door.prove(&door.proof("local", &nonce, &door.world.operator)).await;
    assert!(matches!(refused, Err(Error::Malformed("public key"))));
}

#[tokio::test]
async fn without_a_record_nobody_passes_the_door() {
    let door = Door::new().await;
    let nonce = door.challenge("local").unwrap();
    door.world.memory.away.store(true, Ordering::SeqCst);
    tokio::time::pause();
    let refused = door.prove(&door.proof("local", &nonce, &door.world.operator)).await;
    assert!(matches!(refused, Err(Error::Unrecorded)));
}

// The queue.

#[tokio::test]
async fn entries_arrive_in_order_once_and_after_an_absence() {
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let ledger = Ledger::start(Arc::new(Shared(memory.clone())), 8).unwrap();
    let note = |n: u64| Draft { count: n, ..Draft::new(Kind::Note, "n", format!("n/{n}")) };
    for n in 0..5 {
        ledger.queue(note(n)).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ledger.acknowledged(), 0);
    memory.away.store(false, Ordering::SeqCst);
    assert_eq!(ledger.record(note(5)).await.unwrap(), 5);
    assert_eq!(memory.of("n").iter().map(|draft| draft.count).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(ledger.acknowledged(), 6);
    assert!(matches!(ledger.queue(Draft::new(Kind::Note, "with space", "k")), Err(Error::Unrecorded)));
}

#[tokio::test]
async fn refusals_that_find_no_place_are_counted_on() {
    let memory = Arc::new(Memory::default());
    memory.away.store(true, Ordering::SeqCst);
    let (ledger, refusals) = (Ledger::start(Arc::new(Shared(memory.clone())), 1).unwrap(), Refusals::default());
    while ledger.queue(Draft::new(Kind::Note, "n", ledger.next_key())).is_ok() {
        tokio::task::yield_now().await;
    }
    refusals.count("connect", "x");
    refusals.write(&ledger);
    refusals.count("connect", "x");
    memory.away.store(false, Ordering::SeqCst);
    for _ in 0..1000 {
        refusals.write(&ledger);
        tokio::time::sleep(Duration::from_millis(1)).await;
        if let [draft] = memory.of("connect").as_slice() {
            assert_eq!((draft.count, draft.cause.as_str()), (2, "x"));
            return;
        }
    }
    panic!("never written");
}

#[tokio::test]
async fn a_service_is_not_taken_for_a_person() {
    let door = Door::new().await;
    let nonce = door.challenge("audit").unwrap();
    let refused = door.prove(&door.proof("audit", &nonce, &door.world.operator)).await;
    assert!(matches!(refused, Err(Error::Refused(Cause::Door))));
    assert_ne!(service("audit"), human("audit"));
}
