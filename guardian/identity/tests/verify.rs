//! Each reason to refuse a certificate, without a network.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[macro_use]
mod stage;

use std::time::{Duration, SystemTime};

use bodh_identity::ca::{Ca, CaError, MAX_SVID_TTL, ROOT_TTL, SVID_TTL};
use bodh_identity::verify::{Refusal, Role, chain, exact};
use bodh_identity::{Bundle, Svid, SvidError};
use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyPair};
use stage::{DOMAIN, Forge, HOUR, id, leaf};
use zeroize::Zeroizing;

const AUDIT: &str = "spiffe://test.internal/service/audit";

fn refusal(forge: &Forge, params: &rcgen::CertificateParams) -> Refusal {
    chain(&forge.sign(params).chain, &forge.bundle(), Role::Client, SystemTime::now()).unwrap_err()
}

#[test]
fn a_good_chain_passes_for_both_roles_and_only_its_own_name() {
    let (forge, now) = (Forge::new(), SystemTime::now());
    let good = forge.sign(&leaf(&[AUDIT]));
    for role in [Role::Client, Role::Server] {
        let peer = exact(&good.chain, &forge.bundle(), role, &id("audit"), now).unwrap();
        assert_eq!(peer.id, id("audit"));
        assert_eq!(exact(&good.chain, &forge.bundle(), role, &id("guardian"), now), Err(Refusal::WrongId));
    }
}

#[test]
fn names_that_are_not_exactly_one_spiffe_id_are_refused() {
    let forge = Forge::new();
    for (uris, why) in [
        (&[][..], Refusal::NoSpiffeId),
        (&["https://test.internal/service/audit"], Refusal::NoSpiffeId),
        (&["spiffe://test.internal/service/audit/"], Refusal::NoSpiffeId),
        (&["spiffe://test.internal"], Refusal::NoSpiffeId),
        (&[AUDIT, "spiffe://test.internal/service/guardian"], Refusal::TwoUriSans),
        (&[AUDIT, "https://elsewhere"], Refusal::TwoUriSans),
        (&["spiffe://other.internal/service/audit"], Refusal::WrongId),
    ] {
        assert_eq!(refusal(&forge, &leaf(uris)), why, "{uris:?}");
    }
}

#[test]
fn an_authority_is_no_leaf() {
    let forge = Forge::new();
    let mut params = leaf(&[AUDIT]);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    assert_eq!(refusal(&forge, &params), Refusal::IsCa);
    let mut params = leaf(&[AUDIT]);
    params.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign);
    assert_eq!(refusal(&forge, &params), Refusal::IsCa);
    let own = vec![forge.certificate.clone()];
    assert_eq!(chain(&own, &forge.bundle(), Role::Client, SystemTime::now()), Err(Refusal::IsCa));
}

#[test]
fn time_counts_for_the_leaf_and_for_its_root() {
    let forge = Forge::new();
    let mut params = leaf(&[AUDIT]);
    params.not_after = at!(-1);
    assert_eq!(refusal(&forge, &params), Refusal::Expired);
    let mut params = leaf(&[AUDIT]);
    params.not_before = at!(60);
    assert_eq!(refusal(&forge, &params), Refusal::NotYetValid);
    let old = Forge::valid_for(-7200, -1);
    assert_eq!(refusal(&old, &leaf(&[AUDIT])), Refusal::Expired);
}

#[test]
fn strangers_other_keys_and_other_uses_are_untrusted() {
    let (forge, stranger, now) = (Forge::new(), Forge::new(), SystemTime::now());
    let bundle = forge.bundle();
    let check = |signed: &[_], role| chain(signed, &bundle, role, now);
    assert_eq!(check(&stranger.sign(&leaf(&[AUDIT])).chain, Role::Client), Err(Refusal::Untrusted));
    assert_eq!(check(&[], Role::Client), Err(Refusal::NoCertificate));
    assert_eq!(check(&[b"rubbish".to_vec().into()], Role::Client), Err(Refusal::Untrusted));
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    assert_eq!(check(&forge.sign_with(&leaf(&[AUDIT]), &p384).chain, Role::Client), Err(Refusal::Untrusted));
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    assert_eq!(check(&forge.sign_with(&leaf(&[AUDIT]), &ed25519).chain, Role::Client), Err(Refusal::Untrusted));
    let mut server_only = leaf(&[AUDIT]);
    server_only.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_only = forge.sign(&server_only);
    assert_eq!(check(&server_only.chain, Role::Client), Err(Refusal::Untrusted));
    assert!(check(&server_only.chain, Role::Server).is_ok());
    let good = forge.sign(&leaf(&[AUDIT])).chain;
    let mut altered = good[0].to_vec();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(check(&[altered.into()], Role::Client), Err(Refusal::Untrusted));
    assert_eq!(check(&vec![good[0].clone(); 9], Role::Client), Err(Refusal::Untrusted));
}

#[test]
fn an_svid_needs_its_own_key_and_a_bundle_needs_authorities() {
    let forge = Forge::new();
    let (one, two) = (forge.sign(&leaf(&[AUDIT])), forge.sign(&leaf(&[AUDIT])));
    assert!(Svid::new(one.chain.clone(), Zeroizing::new(one.key)).is_ok());
    assert!(matches!(Svid::new(one.chain.clone(), Zeroizing::new(two.key)), Err(SvidError::Key)));
    assert!(matches!(Svid::new(Vec::new(), Zeroizing::new(Vec::new())), Err(SvidError::Certificate)));
    assert!(matches!(Bundle::new(DOMAIN, one.chain), Err(SvidError::NotAuthority)));
    assert!(matches!(Bundle::new(DOMAIN, Vec::new()), Err(SvidError::Certificate)));
    assert!(matches!(Bundle::from_der(DOMAIN, b"rubbish"), Err(SvidError::Certificate)));
}

#[test]
fn the_authority_issues_what_passes_and_nothing_else() {
    let now = SystemTime::now();
    let ca = Ca::generate(DOMAIN, now).unwrap();
    let svid = ca.issue(&id("audit"), SVID_TTL, now).unwrap();
    let peer = exact(svid.chain(), &ca.bundle().unwrap(), Role::Client, &id("audit"), now).unwrap();
    assert!(peer.not_after > now + SVID_TTL - Duration::from_secs(2) && peer.not_after <= now + SVID_TTL);
    assert_ne!(svid.serial(), ca.issue(&id("audit"), SVID_TTL, now).unwrap().serial());
    let again = Ca::from_secret(&ca.to_secret().unwrap()).unwrap().issue(&id("audit"), SVID_TTL, now).unwrap();
    assert!(exact(again.chain(), &ca.bundle().unwrap(), Role::Server, &id("audit"), now).is_ok());
    let other = bodh_identity::SpiffeId::service("other.internal", "audit").unwrap();
    assert!(matches!(ca.issue(&other, SVID_TTL, now), Err(CaError::ForeignId(_))));
    let root = bodh_identity::SpiffeId::root(DOMAIN).unwrap();
    assert!(matches!(ca.issue(&root, SVID_TTL, now), Err(CaError::ForeignId(_))));
    assert!(matches!(ca.issue(&id("audit"), Duration::ZERO, now), Err(CaError::Ttl)));
    assert!(matches!(ca.issue(&id("audit"), MAX_SVID_TTL * 2, now), Err(CaError::Ttl)));
    assert!(matches!(ca.issue(&id("audit"), SVID_TTL, now + ROOT_TTL * 2), Err(CaError::Expired)));
    assert!(matches!(Ca::from_secret(b"{}"), Err(CaError::Saved)));
}

#[test]
fn a_holder_may_bring_its_own_p256_key() {
    use rcgen::PublicKeyData;
    let now = SystemTime::now();
    let ca = Ca::generate(DOMAIN, now).unwrap();
    let key = KeyPair::generate().unwrap();
    let chain = ca.certify(&id("audit"), &key.subject_public_key_info(), SVID_TTL, now).unwrap();
    assert!(Svid::new(chain, Zeroizing::new(key.serialize_der())).is_ok());
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let refused = ca.certify(&id("audit"), &ed25519.subject_public_key_info(), SVID_TTL, now);
    assert!(matches!(refused, Err(CaError::PublicKey)));
    assert!(matches!(ca.certify(&id("audit"), b"rubbish", SVID_TTL, now), Err(CaError::PublicKey)));
}

#[test]
fn replacing_the_root_never_leaves_a_live_certificate_without_one() {
    let start = SystemTime::now();
    let mut ca = Ca::generate(DOMAIN, start).unwrap();
    let (mut roots, mut known, mut changes) = (0, ca.bundle().unwrap(), 0);
    let mut held = Vec::new();
    for step in 0..(72 * 6) {
        let now = start + Duration::from_secs(600) * step;
        changes += usize::from(ca.advance(now).unwrap());
        ca = Ca::from_secret(&ca.to_secret().unwrap()).unwrap();
        let new = ca.issue(&id("audit"), MAX_SVID_TTL, now).unwrap();
        // A peer that renewed an hour ago still has the bundle of then, and must accept what is issued now.
        assert!(chain(new.chain(), &known, Role::Client, now).is_ok(), "step {step}");
        held.push((now, new, ca.bundle().unwrap()));
        held.retain(|(then, ..)| now <= *then + HOUR);
        for (_, svid, _) in &held {
            assert!(svid.not_after() <= now || chain(svid.chain(), &ca.bundle().unwrap(), Role::Client, now).is_ok());
        }
        known = held[0].2.clone();
        roots = roots.max(ca.bundle().unwrap().certificates().count());
    }
    assert!(changes >= 12 && roots == 2, "{changes} {roots}");
    assert!(ca.advance(start + ROOT_TTL * 9).unwrap());
    assert_eq!(ca.bundle().unwrap().certificates().count(), 1);
}

proptest::proptest! {
    #[test]
    fn no_altered_certificate_passes(at in 0_usize..400, flip in 1_u8..) {
        let forge = Forge::new();
        let mut altered = forge.sign(&leaf(&[AUDIT])).chain[0].to_vec();
        let at = at % altered.len();
        altered[at] ^= flip;
        let refused = chain(&[altered.into()], &forge.bundle(), Role::Client, SystemTime::now());
        proptest::prop_assert!(refused.is_err());
    }

    #[test]
    fn an_id_that_is_read_is_written_the_same(text in "(spiffe://)?[a-z0-9./%_-]{0,20}(/[A-Za-z0-9._%-]{0,4}){0,3}") {
        if let Ok(id) = bodh_identity::SpiffeId::parse(&text) {
            proptest::prop_assert_eq!(id.as_str(), &text);
            let again = bodh_identity::SpiffeId::new(id.trust_domain(), id.path());
            proptest::prop_assert_eq!(again, Ok(id));
        }
    }
}
