//! The start: what is stored and what is published have to be one log. Anything else stops the service, naming the
//! first bad entry; it is never repaired in silence.

use std::fs;
use std::io;
use std::path::Path;

use bodh_audit_log::tile::{Shelf, TilePath, WIDTH, read_tile};
use bodh_audit_log::{Edge, Entry, Hash, SignedCheckpoint, Time, Tree, VerifierKey, leaf_hash};

use crate::Error;
use crate::store::{Store, read};

/// Up to this many entries the whole log is hashed again at each start (under a second); beyond, what the published
/// tiles vouch for is taken from them and every entry since the checkpoint is hashed again.
pub(crate) const WHOLE: u64 = 200_000;

/// Where the log stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// All that is stored.
    pub(crate) tree: Tree,
    /// When the last entry was taken in.
    pub(crate) last: Option<Time>,
    /// What is published.
    pub(crate) edge: Edge,
    /// The published checkpoint, if there was ever one.
    pub(crate) signed: Option<SignedCheckpoint>,
}

/// Checks the store against the published folder. `whole` is [`WHOLE`] but in tests.
pub(crate) async fn check(store: &mut Store, dir: &Path, key: &VerifierKey, whole: u64) -> Result<Standing, Error> {
    let stored = read::size(&mut store.writer).await?;
    let signed = published(dir, key)?;
    let size = signed.as_ref().map_or(0, |signed| signed.checkpoint().size);
    if size > stored {
        return Err(Error::Rewound { published: size, stored });
    }
    let edge = match &signed {
        Some(_) => Edge::load(size, |path| tile(dir, path)).map_err(|path| Error::NotWhole {
            index: path.first_entry(),
            what: format!("the published {path} is missing or torn"),
        })?,
        None => Edge::new(),
    };
    if let Some(signed) = &signed
        && edge.root() != signed.checkpoint().root
    {
        let what = "the published tiles do not lead to the signed root".to_owned();
        return Err(Error::NotWhole { index: first_difference(store, dir, size).await?.unwrap_or(0), what });
    }
    let from = if stored <= whole { Tree::new() } else { edge.tree().unwrap_or_default() };
    if stored <= whole && signed.is_some() {
        let verified = bodh_audit_verify::verify_interrupted(dir, key);
        verified.map_err(|fault| Error::NotWhole {
            index: fault.first_bad_index.unwrap_or(size),
            what: format!("the published folder: {}: {}", fault.place, fault.what),
        })?;
    }
    let (tree, last) = rehash(store, dir, from, stored, &edge).await?;
    frontier(store, &tree, size).await?;
    Ok(Standing { tree, last, edge, signed })
}

/// The published checkpoint, by this log's own key.
fn published(dir: &Path, key: &VerifierKey) -> Result<Option<SignedCheckpoint>, Error> {
    let path = dir.join("checkpoint");
    let note = match fs::read_to_string(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        note => note.map_err(Error::file(&path))?,
    };
    let signed = SignedCheckpoint::open(&note, key);
    signed.map(Some).map_err(|cause| Error::NotWhole { index: 0, what: format!("the published checkpoint: {cause}") })
}

fn tile(dir: &Path, path: &TilePath) -> Option<Vec<Hash>> {
    read_tile(&fs::read(dir.join(path.to_string())).ok()?)
}

/// Hashes every stored entry from `tree`'s size on; at the published size the tree has to be the published one.
async fn rehash(
    store: &mut Store,
    dir: &Path,
    mut tree: Tree,
    stored: u64,
    edge: &Edge,
) -> Result<(Tree, Option<Time>), Error> {
    let wrong = |index: u64, what: String| Error::NotWhole { index, what };
    let mut last = before(store, tree.size()).await?;
    while tree.size() < stored {
        let rows = read::rows(&mut store.writer, tree.size(), stored).await?;
        if rows.is_empty() {
            return Err(wrong(tree.size(), "its row is gone".to_owned()));
        }
        for row in rows {
            let index = tree.size();
            if row.index != index {
                return Err(wrong(index, "its row is gone".to_owned()));
            }
            let hash = leaf_hash(&row.leaf);
            if row.hash != Some(hash) {
                return Err(wrong(index, "its stored hash is not its own".to_owned()));
            }
            let entry = Entry::parse(&row.leaf).map_err(|fault| wrong(index, fault.to_string()))?;
            if entry.key() != row.key || entry.draft.session != row.session {
                return Err(wrong(index, "its row names another key or session".to_owned()));
            }
            if last.is_some_and(|last| entry.time <= last) {
                return Err(wrong(index, "it is not later than the one before".to_owned()));
            }
            last = Some(entry.time);
            tree.append(hash);
            if tree.size() == edge.size() && tree.root() != edge.root() {
                let index = first_difference(store, dir, edge.size()).await?.unwrap_or(0);
                return Err(wrong(index, "it is not what was published".to_owned()));
            }
        }
    }
    Ok((tree, last))
}

/// The time of the entry before index `from`.
async fn before(store: &mut Store, from: u64) -> Result<Option<Time>, Error> {
    let Some(index) = from.checked_sub(1) else { return Ok(None) };
    let row = read::rows(&mut store.writer, index, from).await?;
    let gone = || Error::NotWhole { index, what: "its row is gone".to_owned() };
    let entry = Entry::parse(&row.first().ok_or_else(gone)?.leaf);
    entry.map(|entry| Some(entry.time)).map_err(|fault| Error::NotWhole { index, what: fault.to_string() })
}

/// The first stored entry that does not hash to what the published tiles record.
async fn first_difference(store: &mut Store, dir: &Path, size: u64) -> Result<Option<u64>, Error> {
    let mut bundle = 0;
    while let Some(path) = TilePath::at(Shelf::Hashes(0), bundle, size) {
        let first = bundle * WIDTH as u64;
        let recorded = tile(dir, &path).unwrap_or_default();
        let rows = read::rows(&mut store.writer, first, first + u64::from(path.width)).await?;
        for place in 0..usize::from(path.width) {
            let stored = rows.get(place).map(|row| leaf_hash(&row.leaf));
            if stored.is_none() || stored != recorded.get(place).copied() {
                return Ok(Some(first + place as u64));
            }
        }
        bundle += 1;
    }
    Ok(None)
}

/// The stored frontier was written with the last entry, so it tells of rows that were added or removed behind our back.
async fn frontier(store: &mut Store, tree: &Tree, published: u64) -> Result<(), Error> {
    let (size, peaks) = store.frontier().await?;
    let (index, what) = if size != tree.size() {
        (size.min(tree.size()), format!("{size} entries were acknowledged and {} are stored", tree.size()))
    } else if peaks != tree.peaks() {
        (published, "an entry since the checkpoint is not what was acknowledged".to_owned())
    } else {
        return Ok(());
    };
    Err(Error::NotWhole { index, what })
}
