//! The four views of a session, each with a key of its own.

use age::x25519::Recipient;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::{SessionSecret, VaultError, ViewKey, envelope::recipient, record::KEY};

/// Names the format of a sealed view key; followed by the view's name, a zero byte and the key.
const SEALED_KEY: &[u8] = b"bodh-vault/1 view ";
/// A sealed view key is an age file of about 270 bytes.
const SEALED_MAX: usize = 4096;

/// What a key opens. A reader is given the views that its role needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Who the session is about.
    Identifiers,
    /// Sentences as somebody wrote them.
    FreeText,
    /// Coded facts.
    Findings,
    /// What was concluded, and why.
    Reasoning,
}

impl View {
    /// Every view, in the order in which sealed keys are kept.
    pub const ALL: [Self; 4] = [Self::Identifiers, Self::FreeText, Self::Findings, Self::Reasoning];

    /// The view's name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identifiers => "identifiers",
            Self::FreeText => "free_text",
            Self::Findings => "findings",
            Self::Reasoning => "reasoning",
        }
    }
}

/// The four keys of one session.
#[derive(Debug)]
pub struct ViewKeys {
    identifiers: ViewKey,
    free_text: ViewKey,
    findings: ViewKey,
    reasoning: ViewKey,
}

impl ViewKeys {
    /// Four random keys, and the same keys sealed to the session's recipient, in the order of [`View::ALL`].
    pub fn create(session_recipient: &str) -> Result<(Self, [Vec<u8>; 4]), VaultError> {
        let to = recipient(session_recipient)?;
        let (identifiers, one) = fresh(View::Identifiers, &to)?;
        let (free_text, two) = fresh(View::FreeText, &to)?;
        let (findings, three) = fresh(View::Findings, &to)?;
        let (reasoning, four) = fresh(View::Reasoning, &to)?;
        Ok((Self { identifiers, free_text, findings, reasoning }, [one, two, three, four]))
    }

    /// Opens all four keys.
    pub fn open(secret: &SessionSecret, sealed: &[Vec<u8>; 4]) -> Result<Self, VaultError> {
        let one = |view| Self::open_one(secret, view, sealed);
        Ok(Self {
            identifiers: one(View::Identifiers)?,
            free_text: one(View::FreeText)?,
            findings: one(View::Findings)?,
            reasoning: one(View::Reasoning)?,
        })
    }

    /// Opens the key of one view only.
    pub fn open_one(secret: &SessionSecret, view: View, sealed: &[Vec<u8>; 4]) -> Result<ViewKey, VaultError> {
        let [identifiers, free_text, findings, reasoning] = sealed;
        let sealed = match view {
            View::Identifiers => identifiers,
            View::FreeText => free_text,
            View::Findings => findings,
            View::Reasoning => reasoning,
        };
        let opened = Some(sealed).filter(|bytes| bytes.len() <= SEALED_MAX).and_then(|bytes| secret.open(bytes));
        let opened = opened.ok_or(VaultError::WrongKey)?;
        let key = opened.strip_prefix(SEALED_KEY).and_then(|rest| rest.strip_prefix(view.name().as_bytes()));
        let key = key.and_then(|rest| rest.strip_prefix(b"\0")).ok_or(VaultError::WrongKey)?;
        let mut bytes = Zeroizing::new([0; KEY]);
        if key.len() != KEY {
            return Err(VaultError::WrongKey);
        }
        bytes.copy_from_slice(key);
        Ok(ViewKey::new(view, &bytes))
    }

    /// The key of one view.
    pub fn key(&self, view: View) -> &ViewKey {
        match view {
            View::Identifiers => &self.identifiers,
            View::FreeText => &self.free_text,
            View::Findings => &self.findings,
            View::Reasoning => &self.reasoning,
        }
    }
}

/// A random key, and the same sealed with the name of its view, so that no view's key passes for another's.
fn fresh(view: View, to: &Recipient) -> Result<(ViewKey, Vec<u8>), VaultError> {
    let mut bytes = Zeroizing::new([0; KEY]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
    let named = Zeroizing::new([SEALED_KEY, view.name().as_bytes(), b"\0", bytes.as_slice()].concat());
    let sealed = age::encrypt(to, &named).map_err(|_| VaultError::NoRandomness)?;
    Ok((ViewKey::new(view, &bytes), sealed))
}
