//! Embeds every file of `deploy/policies`: adding a policy is adding a file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../deploy/policies");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "cedar" || kind == "cedarschema") {
                println!("cargo::rerun-if-changed={}", path.display());
                files.push(path.canonicalize()?);
            }
        }
    }
    files.sort();
    let mut code =
        String::from("/// Name and text of every file of deploy/policies.\nconst DOMAIN: &[(&str, &str)] = &[\n");
    for path in &files {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a policy's file name is not UTF-8")?;
        writeln!(code, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    code.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("domain_policies.rs"), code)?;
    Ok(())
}
