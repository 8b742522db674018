//! Compiles `proto/guardian.proto` with a pure-Rust protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/guardian.proto");
    let descriptors = protox::compile(["proto/guardian.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
