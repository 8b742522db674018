//! Everything in the folder is accounted for: a file of the log, an older partial tile that agrees with the fuller one,
//! or the leftover of an interrupted write.

use bodh_audit_log::tile::{MAX_BUNDLE, Shelf, TILE_BYTES, TilePath, read_bundle};

use crate::Fault;
use crate::bundle::read;
use crate::folder::{Folder, Sort};

/// Deepest nesting of a tile's path: `tile/<L>/` and seven groups of three digits, then `<W>`.
const DEEPEST: usize = 10;
/// More names than any one folder of a log has: 1,000 groups, each also as `x…` and `.p`, and leftovers.
const MOST: usize = 10_000;

/// What the walk found beside the files of this size.
#[derive(Default)]
pub(crate) struct Found {
    /// Temporary files of an interrupted write.
    pub(crate) leftovers: u64,
    older: Vec<TilePath>,
}

/// Walks the whole folder. `beyond` says whether files past `size` may be there.
pub(crate) fn check(folder: Folder<'_>, size: u64, beyond: bool) -> Result<u64, Fault> {
    let mut found = Found::default();
    for (name, sort) in list(folder, "")? {
        match (name.as_str(), sort) {
            ("checkpoint" | "key", Sort::File) => {}
            ("tile", Sort::Folder) => walk(folder, "tile", size, beyond, &mut found)?,
            (name, Sort::File) if is_leftover(name) => found.leftovers += 1,
            _ => return Err(stray(&name)),
        }
    }
    found.older.iter().try_for_each(|path| agrees(folder, path, size))?;
    Ok(found.leftovers)
}

fn list(folder: Folder<'_>, path: &str) -> Result<Vec<(String, Sort)>, Fault> {
    let shown = if path.is_empty() { "." } else { path };
    let items = folder.list(path).map_err(|error| Fault::new(None, shown, format!("cannot be listed: {error}")))?;
    if items.len() > MOST { Err(Fault::new(None, shown, "holds more files than a log can")) } else { Ok(items) }
}

fn stray(path: &str) -> Fault {
    Fault::new(None, path, "does not belong to a log").passing()
}

/// `.NAME.tmp`, as publication writes before renaming. Nobody reads it.
fn is_leftover(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

fn walk(folder: Folder<'_>, path: &str, size: u64, beyond: bool, found: &mut Found) -> Result<(), Fault> {
    for (name, sort) in list(folder, path)? {
        let path = format!("{path}/{name}");
        match sort {
            Sort::Folder if path.split('/').count() <= DEEPEST => walk(folder, &path, size, beyond, found)?,
            Sort::File if is_leftover(&name) => found.leftovers += 1,
            Sort::File => {
                let tile = TilePath::parse(&path).ok_or_else(|| stray(&path))?;
                match TilePath::at(tile.shelf, tile.index, size) {
                    Some(ours) if ours == tile => {}
                    Some(fuller) if tile.width < fuller.width => found.older.push(tile),
                    _ if beyond => {}
                    _ => return Err(past(&tile, size)),
                }
            }
            Sort::Folder | Sort::Other => return Err(stray(&path)),
        }
    }
    Ok(())
}

fn past(tile: &TilePath, size: u64) -> Fault {
    let what = format!(
        "reaches beyond the checkpoint's {size} entries: an older checkpoint was put back, or publication was interrupted \
         (starting the service finishes it)"
    );
    Fault::new(Some(tile.first_entry().max(size)), tile, what).passing()
}

/// An older partial tile is the beginning of the one that took its place.
fn agrees(folder: Folder<'_>, older: &TilePath, size: u64) -> Result<(), Fault> {
    let Some(fuller) = TilePath::at(older.shelf, older.index, size) else { return Ok(()) };
    let max = if older.shelf == Shelf::Entries { MAX_BUNDLE } else { TILE_BYTES };
    let (few, many) = (read(folder, older, max)?, read(folder, &fuller, max)?);
    let width = usize::from(older.width);
    let expected: usize = match older.shelf {
        Shelf::Entries => read_bundle(&many).flatten().take(width).map(|leaf| leaf.len() + 2).sum(),
        Shelf::Hashes(_) => width * bodh_audit_log::Hash::LEN,
    };
    if many.get(..expected) == Some(few.as_slice()) {
        return Ok(());
    }
    let differs = few.iter().zip(&many).position(|(a, b)| a != b).unwrap_or(few.len().min(expected));
    let item = match older.shelf {
        Shelf::Hashes(_) => differs / bodh_audit_log::Hash::LEN,
        Shelf::Entries => items_before(&many, differs),
    };
    Err(Fault::at(older, item.min(width), format!("the older partial tile does not agree with {fuller}")))
}

/// How many whole entries of a bundle end at or before this byte.
fn items_before(bundle: &[u8], byte: usize) -> usize {
    let ends = read_bundle(bundle).flatten().scan(0, |end, leaf| {
        *end += leaf.len() + 2;
        Some(*end)
    });
    ends.take_while(|end| *end <= byte).count()
}
