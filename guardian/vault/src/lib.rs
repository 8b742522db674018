//! Per-session envelopes: who holds which key, and what destroying one erases.
//!
//! ```text
//! vault key (guardian) -> wrapped session secret (guardian's store) -> four sealed view keys (owner's store) -> records
//! ```
//!
//! Each session has an age identity, the [`SessionSecret`]. Its wrapped form is kept apart from what it opens: either store
//! alone reveals nothing. Under it four random keys, one per [`View`], so that a reader gets only the view that its role needs.
//! Records are AES-256-GCM, bound to their session, view, record and place in its sequence: one that was moved does not open.
//! Destroying the wrapped secret erases the session: what remains, in every store together, opens nothing.
//!
//! ```
//! use bodh_vault::{Envelope, Place, SessionSecret, VaultKey, View, ViewKeys};
//! # fn main() -> Result<(), bodh_vault::VaultError> {
//! let vault = VaultKey::generate();
//! let (secret, recipient) = Envelope::create();
//! let wrapped = vault.wrap(&secret, "session-1")?;              // kept by the guardian
//! let (keys, sealed_keys) = ViewKeys::create(&recipient)?;      // kept by the owner of the records
//! let place = Place { session: "session-1", record: "note", sequence: 0 };
//! let sealed = keys.key(View::FreeText).seal(place, b"text")?;
//!
//! let again = vault.unwrap(&wrapped, "session-1")?;
//! let one = ViewKeys::open_one(&again, View::FreeText, &sealed_keys)?;
//! assert_eq!(bodh_vault::expose(&one.open(place, &sealed)?), b"text");
//! # Ok(()) }
//! ```
//!
//! Out of scope: where the bytes are stored, and erasing what backups and logs of a store keep. ring does not overwrite its
//! expanded key schedules; they are made for one operation and dropped. Everything else secret is overwritten on drop.

mod envelope;
mod error;
mod record;
mod view;

pub use envelope::{Envelope, SessionSecret, VaultKey};
pub use error::VaultError;
pub use record::{Place, Plaintext, ViewKey, commitment, expose};
pub use view::{View, ViewKeys};
