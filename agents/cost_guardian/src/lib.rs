//! The cost guardian: what tests cost and what that does to the budget. It has an opinion and no power.

use bodh_clinical::{Member, Opinion, PriceLine, Pricing, Question, TestId, Usd};
use bodh_knowledge::{Pack, Refusal};

/// Which member of the panel this is.
pub const MEMBER: Member = Member::CostGuardian;

/// Most tests that are priced at once.
const MOST_TESTS: usize = 1_000;

/// Prices tests in the order given.
pub fn answer(question: &Question, pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::Price { tests, spent, budget } => {
            if tests.len() > MOST_TESTS {
                return Err(Refusal::TooMany { what: "tests", limit: MOST_TESTS });
            }
            Ok(Opinion::Price(price(pack, tests, *spent, *budget)))
        }
        _ => Err(Refusal::NotMine { member: MEMBER.name() }),
    }
}

/// Each test is held against what remains after those before it that fit; one that does not fit, or whose price nobody
/// knows, is over budget and takes nothing.
fn price(pack: &Pack, tests: &[TestId], spent: Usd, budget: Usd) -> Pricing {
    let mut committed = spent;
    let line = |test: &TestId| {
        let known = pack.test(test);
        let price = known.map(|t| pack.price(t));
        let over_budget = price.is_none_or(|p| committed.plus(p) > budget);
        if let (Some(price), false) = (price, over_budget) {
            committed = committed.plus(price);
        }
        let source = known.map_or_else(|| "no known price".to_owned(), |t| pack.price_source(t).to_owned());
        PriceLine { test: test.clone(), price, source, over_budget }
    };
    Pricing { lines: tests.iter().map(line).collect() }
}
