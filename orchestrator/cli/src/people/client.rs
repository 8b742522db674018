//! A person's client: a proof of possession at the door, a certificate for five minutes, and mutual TLS to the
//! services, each expected under its exact SPIFFE id.

use super::{KeyRing, id_of, random_hex};
use crate::failure::{Failure, Outcome};
use crate::launch::{AUDIT, GUARDIAN, ORCHESTRATOR};
use crate::state::Running;
use bodh_audit_api::pb::audit_client::AuditClient;
use bodh_guardian_api::{Access, Client as Guardian, Door, proof};
use bodh_identity::client::{self, Channel};
use bodh_identity::signing::{Context, PersonKey, Signer};
use bodh_identity::{Bundle, Source, SpiffeId, Svid};
use bodh_panel_api::pb::{Statement, panel_client::PanelClient};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The largest message of the panel: a session's evidence, of at most 64 MiB.
const MAX_MESSAGE: usize = 65 << 20;

/// A person who has come in.
pub(crate) struct Visitor {
    running: Running,
    source: Source,
    id: SpiffeId,
    key: Arc<PersonKey>,
}

impl Visitor {
    /// Proves the key of `name` at the door.
    pub(crate) async fn enter(running: &Running, ring: &KeyRing, name: &str) -> Outcome<Self> {
        let key = ring.open(name)?;
        let id = id_of(&running.trust_domain, name)?;
        let fresh = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
        let fresh = fresh.map_err(|cause| Failure::failed(format!("no key for a certificate: {cause}")))?;
        let door = Door::connect(&running.workload_socket).await.map_err(at_guardian)?;
        let challenge = door.challenge(name).await.map_err(at_guardian)?;
        // The id is ours to expect: a door that answers for somebody else is refused before anything is signed.
        if challenge.id != id.to_string() {
            return Err(Failure::failed(format!("the door answered for {} instead of {id}", challenge.id)));
        }
        let public_key = fresh.subject_public_key_info();
        let signature = key.sign(Context::Door, &proof(&challenge.nonce, &public_key));
        let signature = signature.map_err(|cause| Failure::failed(format!("nothing was signed: {cause}")))?;
        let proved = door.prove(name, challenge.nonce, public_key, signature.to_vec()).await.map_err(at_guardian)?;
        let chain = proved.chain.into_iter().map(Into::into).collect();
        let unusable = |cause: &dyn std::fmt::Display| Failure::failed(format!("the door's certificate: {cause}"));
        let svid = Svid::new(chain, Zeroizing::new(fresh.serialize_der())).map_err(|cause| unusable(&cause))?;
        let bundle = proved.bundle.into_iter().map(Into::into).collect();
        let bundle = Bundle::new(&running.trust_domain, bundle).map_err(|cause| unusable(&cause))?;
        let source = Source::fixed(svid, bundle).map_err(|cause| unusable(&cause))?;
        Ok(Self { running: running.clone(), source, id, key })
    }

    /// The person's SPIFFE id.
    pub(crate) fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// Whether the launcher is there, which starts again what has ended: it alone keeps the door's socket open.
    pub(crate) fn panel_stands(&self) -> bool {
        std::os::unix::net::UnixStream::connect(&self.running.workload_socket).is_ok()
    }

    /// The person's signature.
    pub(crate) fn sign(&self, context: Context, bytes: &[u8]) -> Outcome<Vec<u8>> {
        let signed = self.key.sign(context, bytes);
        signed.map(|s| s.to_vec()).map_err(|cause| Failure::failed(format!("nothing was signed: {cause}")))
    }

    /// The person's signed request to open one session, which is at rest. The guardian takes it once.
    pub(crate) fn access(&self, session: &str) -> Outcome<Option<Statement>> {
        let access = Access {
            session: session.to_owned(),
            signer: self.id.to_string(),
            nonce: random_hex()?,
            at_unix_ms: chrono::Utc::now().timestamp_millis(),
        };
        let json = access.to_bytes();
        let signature = self.sign(Context::Access, &json)?;
        Ok(Some(Statement { json, signature }))
    }

    /// The orchestrator.
    pub(crate) fn panel(&self) -> Outcome<PanelClient<Channel>> {
        let channel = self.channel(ORCHESTRATOR)?;
        Ok(PanelClient::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE))
    }

    /// The guardian.
    pub(crate) fn guardian(&self) -> Outcome<Guardian> {
        Ok(Guardian::new(self.channel(GUARDIAN)?))
    }

    /// The record.
    pub(crate) fn audit(&self) -> Outcome<AuditClient<Channel>> {
        Ok(AuditClient::new(self.channel(AUDIT)?))
    }

    fn channel(&self, service: &str) -> Outcome<Channel> {
        let address = self.running.addresses.get(service).copied();
        let address =
            address.ok_or_else(|| Failure::failed(format!("run/panel.json gives no address of {service}")))?;
        let expected = SpiffeId::service(&self.running.trust_domain, service);
        let expected = expected.map_err(|wrong| Failure::failed(format!("{service}: {wrong}")))?;
        Ok(client::channel(address, expected, self.source.clone()))
    }
}

/// A trace id for one command.
pub(crate) fn trace() -> Outcome<String> {
    random_hex()
}

/// One line about a refusal or an outage of the guardian.
#[allow(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
pub(crate) fn at_guardian(cause: bodh_guardian_api::Error) -> Failure {
    Failure::failed(cause.to_string())
}

/// One line about a refusal or an outage of a service.
pub(crate) fn at(service: &str, status: &tonic::Status) -> Failure {
    let said = status.message();
    match status.code() {
        tonic::Code::InvalidArgument | tonic::Code::ResourceExhausted => Failure::input(format!("{service}: {said}")),
        tonic::Code::NotFound => Failure::input(format!("{service}: not found: {said}")),
        tonic::Code::PermissionDenied | tonic::Code::Unauthenticated => {
            Failure::failed(format!("{service} refuses this to you: {said}"))
        }
        tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
            Failure::failed(format!("{service} is not available: {said}; is the panel running?"))
        }
        code => Failure::failed(format!("{service}: {said} ({code:?})")),
    }
}
