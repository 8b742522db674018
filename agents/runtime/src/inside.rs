//! The cell's part: bytes in, an opinion out. Everything here runs without files, sockets or other processes.

use crate::{MALFORMED, REFUSED};
use bodh_agent_api::pb;
use bodh_clinical::{Opinion, Question};
use bodh_knowledge::Pack;
use prost::Message;

/// Serves the cell until its host ends it. The pack is used in place and not checked again: the host has checked these
/// very bytes after it sealed them, and a cell maps nothing but a file with all seals (`bodh_cell::SealedPack::map`).
pub(crate) fn serve<F>(answer: F) -> !
where
    F: Fn(&Question, &Pack) -> Result<Opinion, u8>,
{
    bodh_cell::serve(Pack::open_verified, move |pack, question| match pack {
        Ok(pack) => reply(pack, question, &answer),
        Err(_) => Err(REFUSED),
    })
}

fn reply<F>(pack: &Pack, question: &[u8], answer: &F) -> Result<Vec<u8>, u8>
where
    F: Fn(&Question, &Pack) -> Result<Opinion, u8>,
{
    let question = pb::Question::decode(question).map_err(|_| MALFORMED)?;
    let question = Question::try_from(question).map_err(|_| MALFORMED)?;
    let opinion = answer(&question, pack)?;
    let mut wire = pb::Opinion::from(&opinion);
    wire.pack_sha256 = pack.sha256().to_vec();
    Ok(wire.encode_to_vec())
}
