//! Turns the kept pack, which is small, into the form that programs carry, which unpacks in a third of the time.

use std::{env, error::Error, fs, path::Path};

const KEPT: &str = "packs/bodh.pack";
/// As in `src/assemble.rs`: the largest flat form that is accepted.
const LARGEST: usize = 96 << 20;
/// How many can be unpacked side by side.
const BLOCKS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={KEPT}");
    let flat = zstd::bulk::decompress(&fs::read(KEPT)?, LARGEST)?;
    let folder = env::var_os("OUT_DIR").ok_or("cargo gives build scripts an OUT_DIR")?;
    let mut carried = Vec::new();
    for part in flat.chunks(flat.len().div_ceil(BLOCKS)) {
        let block = lz4_flex::block::compress(part);
        for length in [part.len(), block.len()] {
            carried.extend_from_slice(&u32::try_from(length)?.to_le_bytes());
        }
        carried.extend_from_slice(&block);
    }
    fs::write(Path::new(&folder).join("bodh.lz4"), carried)?;
    Ok(())
}
