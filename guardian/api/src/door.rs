//! The door: how a person's client, which has no certificate yet, proves its key and receives one for five minutes.

use std::{path::Path, time::Duration};

use tonic::{
    Request,
    transport::{Channel, Endpoint},
};

use crate::{
    Error, SignedChange, pb,
    pb::{door_client::DoorClient, launcher_client::LauncherClient},
};

/// No answer within this time counts as unavailable. Longer than the guardian's own wait for the record (5 s).
const DEADLINE: Duration = Duration::from_secs(8);

/// A nonce to sign, good once and for a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// 32 random bytes.
    pub nonce: Vec<u8>,
    /// The SPIFFE id that the certificate will name.
    pub id: String,
}

/// A person's certificate chain (DER, leaf first), and the trust domain's roots (DER).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Leaf first.
    pub chain: Vec<Vec<u8>>,
    /// The roots to check others against.
    pub bundle: Vec<Vec<u8>>,
    /// The trust domain's name.
    pub trust_domain: String,
}

/// The bytes to sign, in the signing context `door`: the nonce, then the certificate's public key as
/// SubjectPublicKeyInfo DER. The key is under the signature so that a proof cannot be used for another key.
pub fn proof(nonce: &[u8], public_key: &[u8]) -> Vec<u8> {
    [nonce, public_key].concat()
}

/// The `Door` service on a Unix socket, and what its neighbour `Launcher` offers to the process that started the
/// guardian.
#[derive(Debug, Clone)]
pub struct Door {
    inner: DoorClient<Channel>,
    launcher: LauncherClient<Channel>,
}

impl Door {
    /// Connects to the socket at `path`.
    pub async fn connect(path: &Path) -> Result<Self, Error> {
        let address = path.to_str().ok_or_else(|| Error::Address(path.display().to_string()))?;
        let endpoint = Endpoint::from_shared(format!("unix://{address}"))
            .map_err(|_| Error::Address(address.to_owned()))?
            .connect_timeout(DEADLINE);
        let channel = endpoint.connect().await.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { inner: DoorClient::new(channel.clone()), launcher: LauncherClient::new(channel) })
    }

    /// For the launcher: the process `pid`, begun at `started` (field 22 of `/proc/PID/stat`), executes the file with
    /// this SHA-256. Until this is said, a child that hides its executable gets no identity.
    pub async fn vouch(&self, pid: i32, started: u64, exe_sha256: [u8; 32]) -> Result<(), Error> {
        let request = timed(pb::VouchRequest { pid, started, exe_sha256: exe_sha256.to_vec() });
        self.launcher.clone().vouch(request).await?;
        Ok(())
    }

    /// Asks for a nonce for the person of this name.
    pub async fn challenge(&self, human: &str) -> Result<Challenge, Error> {
        let request = timed(pb::ChallengeRequest { human: human.to_owned() });
        let reply = self.inner.clone().challenge(request).await?.into_inner();
        Ok(Challenge { nonce: reply.nonce, id: reply.id })
    }

    /// Enrols the holder of an invitation: their record, signed by their passkey.
    pub async fn accept(&self, record: Vec<u8>, signature: Vec<u8>, trace: &str) -> Result<pb::Person, Error> {
        let request = timed(pb::AcceptRequest { record, signature, trace: trace.to_owned() });
        let reply = self.inner.clone().accept(request).await?.into_inner();
        reply.person.ok_or(Error::Incomplete("the person"))
    }

    /// Gives the holder of an invitation that replaces lost keys a new one.
    pub async fn recover(&self, change: SignedChange, trace: &str) -> Result<pb::Person, Error> {
        let request = timed(pb::ChangeKeysRequest { change: Some(change.into()), trace: trace.to_owned() });
        let reply = self.inner.clone().recover(request).await?.into_inner();
        reply.person.ok_or(Error::Incomplete("the person"))
    }

    /// Trades the signature over [`proof`] for a certificate for `public_key` (SubjectPublicKeyInfo DER, P-256).
    pub async fn prove(
        &self,
        human: &str,
        nonce: Vec<u8>,
        public_key: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<Credential, Error> {
        let request = timed(pb::HumanSvidRequest { human: human.to_owned(), nonce, public_key, signature });
        let reply = self.inner.clone().human_svid(request).await?.into_inner();
        if reply.chain.is_empty() || reply.bundle.is_empty() {
            return Err(Error::Incomplete("the certificate chain or the bundle"));
        }
        Ok(Credential { chain: reply.chain, bundle: reply.bundle, trust_domain: reply.trust_domain })
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
