//! The host's part: an identity, a gate, and cells. It holds no key but its own and no file but its own program.

use crate::{cells::Cells, inside, service};
use bodh_cell::{Launcher, Limits, OWN_PROGRAM, SealedPack};
use bodh_clinical::{Member, Opinion, Question};
use bodh_host::{Confinement, Fatal, Host};
use bodh_knowledge::Pack;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use std::process::ExitCode;

/// Runs the agent `member`, as a host or, when started as one, as a cell. `answer` gives an opinion or the code of a
/// refusal; it runs in the cell only.
pub fn run<F>(member: Member, answer: F) -> ExitCode
where
    F: Fn(&Question, &Pack) -> Result<Opinion, u8>,
{
    if bodh_cell::is_cell() {
        inside::serve(answer);
    }
    // Before it is confined, and once: what an opinion came from is said with it.
    let program = std::fs::read("/proc/self/exe").map(|bytes| HEXLOWER.encode(digest(&SHA256, &bytes).as_ref()));
    bodh_host::run(member.name(), keep, |host| serve(member, host, program))
}

/// Its own program (to start cells) and the ports of the guardian and the record. No file to write.
fn keep(config: &bodh_host::Config) -> Result<Confinement, Fatal> {
    let execute = bodh_cell::host::own_program().map_err(|cause| Fatal::failure(format!("own program: {cause}")))?;
    Ok(Confinement {
        execute,
        connect_ports: vec![config.guardian.port(), config.audit.port()],
        ..Confinement::default()
    })
}

async fn serve(member: Member, host: Host, program: std::io::Result<String>) -> Result<(), Fatal> {
    let program = program.map_err(|cause| Fatal::failure(format!("own program: {cause}")))?;
    let (sealed, pack) = tokio::task::spawn_blocking(pack).await.map_err(|e| Fatal::failure(e.to_string()))??;
    let cells = Cells::new(Launcher::new(OWN_PROGRAM, Some(sealed), Limits::default()));
    tokio::spawn(cells.clone().sweep());
    let (joined, _) = host.join().await?;
    let routes = service::routes(member, joined.gate.clone(), cells, service::Versions { pack, program });
    joined.serve(host, routes).await
}

/// The pack, unfolded, sealed and then checked once: every cell of this agent maps the same copy and uses it as it lies.
fn pack() -> Result<(SealedPack, String), Fatal> {
    let bad = |cause: bodh_knowledge::PackError| {
        Fatal::usage(format!("knowledge pack: {cause}; this program is damaged, build or install it again"))
    };
    let unsealed = |cause: std::io::Error| Fatal::failure(format!("the pack could not be sealed: {cause}"));
    let sealed =
        SealedPack::new(&bodh_knowledge::inflate(bodh_knowledge::COMMITTED).map_err(bad)?).map_err(unsealed)?;
    let pack = Pack::open(sealed.bytes().map_err(unsealed)?).map_err(bad)?;
    Ok((sealed, HEXLOWER.encode(&pack.sha256())))
}
