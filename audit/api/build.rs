//! Compiles `proto/audit.proto` with a pure-Rust protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/audit.proto");
    let descriptors = protox::compile(["proto/audit.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
