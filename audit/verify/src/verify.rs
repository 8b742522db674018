//! The verification as a whole.

use std::hash::RandomState;
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use bodh_audit_log::note::MAX_NOTE;
use bodh_audit_log::tile::WIDTH;
use bodh_audit_log::{Hash, SignedCheckpoint, Time, VerifierKey};

use crate::bundle::{self, Piece};
use crate::climb::Climb;
use crate::folder::Folder;
use crate::{Fault, keys, shelf};

/// A log that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// The log's name.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Whether the caller gave the key. If not, the files agree with each other and with a key that anyone may have
    /// put there: compare [`fingerprint`](Self::fingerprint).
    pub pinned: bool,
    /// The key that signed.
    pub key: VerifierKey,
    /// The signed checkpoint, to be kept.
    pub note: String,
    /// When the last entry was taken in.
    pub last: Option<Time>,
    /// Temporary files of an interrupted write that nobody reads.
    pub leftovers: u64,
}

impl Verified {
    /// What a person compares when the key was not pinned.
    #[must_use]
    pub fn fingerprint(&self) -> Hash {
        self.key.fingerprint()
    }
}

/// The longest `key` file.
const MAX_KEY: usize = 1_024;
/// Threads that read and hash bundles, at most.
const MAX_THREADS: usize = 16;
/// How often a log that is being published at the same time is looked at again.
pub(crate) const TRIES: usize = 8;
/// How long a publication may be under way before its missing part counts as missing.
pub(crate) const PAUSE: Duration = Duration::from_millis(120);

/// Verifies the log published in `dir`, with the key that the caller pins or, if none, with the folder's own.
///
/// A log may be written to meanwhile: what looks unfinished is looked at again as long as its checkpoint moves.
///
/// # Errors
/// The first fault, naming the first entry that the files do not vouch for.
pub fn verify(dir: &Path, pin: Option<&VerifierKey>) -> Result<Verified, Fault> {
    until_settled(dir, pin, false)
}

/// The same for a log whose publication may have been cut off: files beyond the checkpoint are not looked at. For the
/// log's own service, which finishes the publication.
///
/// # Errors
/// As [`verify`].
pub fn verify_interrupted(dir: &Path, key: &VerifierKey) -> Result<Verified, Fault> {
    until_settled(dir, Some(key), true)
}

fn until_settled(dir: &Path, pin: Option<&VerifierKey>, beyond: bool) -> Result<Verified, Fault> {
    let folder = Folder(dir);
    let checkpoint = || folder.read("checkpoint", MAX_NOTE).ok();
    for _ in 1..TRIES {
        let before = checkpoint();
        match once(folder, pin, beyond) {
            Err(fault) if fault.passing && before.is_some() => {
                thread::sleep(PAUSE);
                if checkpoint() == before {
                    return Err(fault);
                }
            }
            result => return result,
        }
    }
    once(folder, pin, beyond)
}

fn once(folder: Folder<'_>, pin: Option<&VerifierKey>, beyond: bool) -> Result<Verified, Fault> {
    let key = key(folder, pin)?;
    let signed = checkpoint(folder, &key)?;
    let stated = signed.checkpoint();
    let (root, last) = entries(folder, stated.size)?;
    if root != stated.root {
        return Err(Fault::new(Some(0), "checkpoint", "the signed root is not the root of these entries"));
    }
    let leftovers = shelf::check(folder, stated.size, beyond)?;
    Ok(Verified {
        origin: stated.origin.clone(),
        size: stated.size,
        root,
        pinned: pin.is_some(),
        note: signed.note().to_owned(),
        key,
        last,
        leftovers,
    })
}

/// The folder's key, which has to be the pinned one if there is one.
pub(crate) fn key(folder: Folder<'_>, pin: Option<&VerifierKey>) -> Result<VerifierKey, Fault> {
    let fault = |what: String| Fault::new(Some(0), "key", what);
    let bytes = folder.read("key", MAX_KEY).map_err(|unread| fault(unread.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| fault("not a key".to_owned()))?;
    let line = text.strip_suffix('\n').ok_or_else(|| fault("not one line".to_owned()))?;
    let key = VerifierKey::parse(line).map_err(|cause| fault(cause.to_string()))?;
    match pin {
        Some(pin) if *pin != key => Err(fault("the folder's key is not the pinned key".to_owned())),
        _ => Ok(key),
    }
}

pub(crate) fn checkpoint(folder: Folder<'_>, key: &VerifierKey) -> Result<SignedCheckpoint, Fault> {
    let fault = |what: String| Fault::new(Some(0), "checkpoint", what);
    let bytes = folder.read("checkpoint", MAX_NOTE).map_err(|unread| fault(unread.to_string()))?;
    let note = String::from_utf8(bytes).map_err(|_| fault("not a signed note".to_owned()))?;
    SignedCheckpoint::open(&note, key).map_err(|cause| fault(cause.to_string()))
}

/// All entries and tiles; the root over them and the last entry's time.
fn entries(folder: Folder<'_>, size: u64) -> Result<(Hash, Option<Time>), Fault> {
    let bundles = size.div_ceil(WIDTH as u64);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, MAX_THREADS);
    let keyed = RandomState::new();
    let (climb, keys, last) = thread::scope(|scope| {
        // Each thread takes every n-th bundle, a few ahead: the pieces come back in order and memory stays bounded.
        let readers: Vec<Receiver<Result<Piece, Fault>>> = (0..threads as u64)
            .map(|first| {
                let (pieces, receiver) = sync_channel(2);
                let keyed = &keyed;
                scope.spawn(move || {
                    for index in (first..bundles).step_by(threads) {
                        let piece = bundle::check(folder, index, size, keyed);
                        let stop = piece.is_err();
                        if pieces.send(piece).is_err() || stop {
                            return;
                        }
                    }
                });
                receiver
            })
            .collect();
        join(folder, size, bundles, &readers)
    })?;
    keys::check(folder, size, keys, &keyed)?;
    Ok((climb.root()?, last))
}

/// Puts the pieces together, in order.
fn join<'a>(
    folder: Folder<'a>,
    size: u64,
    bundles: u64,
    readers: &[Receiver<Result<Piece, Fault>>],
) -> Result<(Climb<'a>, Vec<u64>, Option<Time>), Fault> {
    let mut climb = Climb::new(folder, size);
    let (mut keys, mut last) = (Vec::new(), None);
    for (index, reader) in (0..bundles).zip(readers.iter().cycle()) {
        let ended = || Fault::new(Some(index * WIDTH as u64), "tile", "its verification ended early");
        let piece = reader.recv().map_err(|_| ended())??;
        if let (Some(last), Some(first)) = (last, piece.first)
            && first <= last
        {
            let what = "the entry is not later than the one before";
            return Err(Fault::new(Some(index * WIDTH as u64), "tile/entries", what));
        }
        last = piece.last.or(last);
        keys.extend_from_slice(&piece.keys);
        climb.add(piece.hashes, piece.root)?;
    }
    Ok((climb, keys, last))
}
