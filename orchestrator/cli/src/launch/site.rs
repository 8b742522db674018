//! The console's certificate for browsers: a small authority for one name, whose key is thrown away once it has signed.

use crate::failure::{Failure, Outcome};
use crate::state::{KeyHome, read_bounded, write_private};
use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// How long the certificate lasts; a browser takes at most 398 days (CA/Browser Forum, section 6.3.2).
const LASTS: Duration = Duration::from_secs(365 * 24 * 3600);
/// A new one is made when less is left.
const LEFT: Duration = Duration::from_secs(14 * 24 * 3600);
/// The clock of a browser may be behind.
const BEFORE: Duration = Duration::from_secs(3600);
const MAX_FILE: u64 = 64 * 1024;

/// What the console is told of its site.
#[derive(Clone, Serialize)]
pub(crate) struct Site {
    /// `https://localhost:8443`; set when the port is known.
    pub(crate) origin: String,
    /// The name that passkeys are for.
    pub(crate) rp_id: String,
    /// DER in base64: leaf, authority.
    chain: Vec<String>,
    /// PKCS#8 in base64. Secret.
    #[serde(serialize_with = "told")]
    key: Zeroizing<String>,
    /// Where the authority's certificate is, for browsers to trust.
    #[serde(skip)]
    pub(crate) authority: Option<PathBuf>,
}

fn told<S: serde::Serializer>(key: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(key)
}

/// What is kept beside the unlock key, outside the state folder: the chain and the key, a line each, after the time it ends.
struct Kept {
    ends: u64,
    site: Site,
}

/// A chain in DER, and its key.
pub(crate) type Certificate = (Vec<Vec<u8>>, Zeroizing<Vec<u8>>);

impl Site {
    /// The same, at the address where it listens.
    #[must_use]
    pub(crate) fn at(self, address: Option<&SocketAddr>) -> Self {
        let port = address.map(|address| format!(":{}", address.port())).unwrap_or_default();
        Self { origin: format!("https://{}{port}", self.rp_id), ..self }
    }

    /// A site under `name` that nobody keeps.
    pub(crate) fn passing(name: &str) -> Outcome<Self> {
        Ok(make(name)?.1.site)
    }

    /// The chain, its authority last, and the key; DER.
    pub(crate) fn certificate(&self) -> Outcome<Certificate> {
        let read = |text: &str| BASE64.decode(text.as_bytes());
        let damaged = |_| Failure::failed("the console's certificate is damaged");
        let chain = self.chain.iter().map(|text| read(text)).collect::<Result<_, _>>().map_err(damaged)?;
        Ok((chain, Zeroizing::new(read(&self.key).map_err(damaged)?)))
    }

    /// The site under `name`: as kept, or made anew when there is none, it is for another name, or it ends soon.
    pub(crate) fn of(home: &KeyHome, name: &str) -> Outcome<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let Some(folder) = home.console()? else { return Self::passing(name) };
        let (kept, authority) = (folder.join("site"), folder.join("authority.pem"));
        if kept.exists() && authority.exists() {
            let text = String::from_utf8(read_bounded(&kept, MAX_FILE)?).unwrap_or_default();
            let read = Kept::parse(&text, name).filter(|kept| kept.ends > now + LEFT.as_secs());
            if let Some(kept) = read {
                return Ok(Self { authority: Some(authority), ..kept.site });
            }
        }
        let (pem, made) = make(name)?;
        // The authority last: a crash between the two leaves a pair that is made again.
        write_private(&kept, made.text().as_bytes())?;
        write_private(&authority, pem.as_bytes())?;
        Ok(Self { authority: Some(authority), ..made.site })
    }
}

impl Kept {
    fn text(&self) -> Zeroizing<String> {
        let chain = self.site.chain.join(" ");
        Zeroizing::new(format!("{} {}\n{chain}\n{}\n", self.ends, self.site.rp_id, self.site.key.as_str()))
    }

    fn parse(text: &str, name: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (ends, rp_id) = lines.next()?.split_once(' ')?;
        let chain: Vec<String> = lines.next()?.split(' ').map(str::to_owned).collect();
        let key = Zeroizing::new(lines.next()?.to_owned());
        let site = Site { origin: String::new(), rp_id: rp_id.to_owned(), chain, key, authority: None };
        (site.rp_id == name).then_some(Self { ends: ends.parse().ok()?, site })
    }
}

/// The authority's certificate as PEM, and a site that it signed.
fn make(name: &str) -> Outcome<(String, Kept)> {
    let failed = |cause: rcgen::Error| Failure::failed(format!("the console's certificate: {cause}"));
    let (now, fresh) = (SystemTime::now(), || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256));
    let (from, until) = (now - BEFORE, now + LASTS);
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, format!("Bodh console at {name}, this machine only"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // Whoever trusts it trusts it for this name and for nothing else.
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
        excluded_subtrees: vec![],
    });
    (authority.not_before, authority.not_after) = (from.into(), until.into());
    let authority_key = fresh().map_err(failed)?;
    let authority_certificate = authority.self_signed(&authority_key).map_err(failed)?;
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
    leaf.distinguished_name.push(DnType::CommonName, name);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    (leaf.not_before, leaf.not_after) = (from.into(), until.into());
    let key = fresh().map_err(failed)?;
    // The authority's key ends with this function: nothing else is ever signed with it.
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).map_err(failed)?;
    let text = |der: &[u8]| BASE64.encode(der);
    let site = Site {
        origin: String::new(),
        rp_id: name.to_owned(),
        chain: vec![text(leaf.der()), text(authority_certificate.der())],
        key: Zeroizing::new(text(&Zeroizing::new(key.serialize_der()))),
        authority: None,
    };
    let ends = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok((authority_certificate.pem(), Kept { ends, site }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_made_once_for_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let home = KeyHome::at(folder.path().join("home"));
        let first = Site::of(&home, "localhost").unwrap();
        let again = Site::of(&home, "localhost").unwrap();
        assert_eq!((&first.chain, first.chain.len()), (&again.chain, 2));
        let pem = std::fs::read_to_string(first.authority.unwrap()).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_ne!(Site::of(&home, "console.localhost").unwrap().chain, first.chain);
        assert!(Site::of(&KeyHome::nowhere(), "localhost").unwrap().authority.is_none());
    }

    #[test]
    fn a_damaged_or_old_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let home = KeyHome::at(folder.path().join("home"));
        let first = Site::of(&home, "localhost").unwrap();
        let kept = first.authority.as_ref().unwrap().with_file_name("site");
        let text = std::fs::read_to_string(&kept).unwrap();
        for bad in
            [text.replacen(char::is_numeric, "x", 1), format!("1 {}", text.split_once(' ').unwrap().1), String::new()]
        {
            std::fs::write(&kept, bad).unwrap();
            assert_ne!(Site::of(&home, "localhost").unwrap().chain, first.chain);
        }
    }
}
