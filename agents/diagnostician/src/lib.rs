//! The diagnostician: what it could be, with the claims that the numbers are the product of.

use bodh_clinical::{Member, Opinion, Question};
use bodh_inference::{Evidence, check_chart, rank};
use bodh_knowledge::{Pack, Refusal};

/// Which member of the panel this is.
pub const MEMBER: Member = Member::Diagnostician;

/// Forms the differential of a chart.
pub fn answer(question: &Question, pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::Differential { subject, findings } => {
            check_chart(pack, subject, findings)?;
            Ok(Opinion::Differential(rank(pack, subject, findings, &Evidence::default())))
        }
        _ => Err(Refusal::NotMine { member: MEMBER.name() }),
    }
}
