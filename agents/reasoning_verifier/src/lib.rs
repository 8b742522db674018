//! The reasoning verifier: a second opinion by another method, and whether the diagnostician's claims stand.

use bodh_clinical::{Member, Opinion, Question};
use bodh_inference::{check_chart, check_differential, second_opinion, verify};
use bodh_knowledge::{Pack, Refusal};

/// Which member of the panel this is.
pub const MEMBER: Member = Member::ReasoningVerifier;

/// Forms its own differential, or re-derives every claim of the diagnostician's.
pub fn answer(question: &Question, pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::SecondOpinion { subject, findings } => {
            check_chart(pack, subject, findings)?;
            Ok(Opinion::SecondOpinion(second_opinion(pack, subject, findings)))
        }
        Question::Verify { subject, findings, differential, second } => {
            check_chart(pack, subject, findings)?;
            check_differential(differential)?;
            check_differential(second)?;
            Ok(Opinion::Verify(verify(pack, subject, findings, differential, second)))
        }
        _ => Err(Refusal::NotMine { member: MEMBER.name() }),
    }
}
