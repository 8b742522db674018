use super::super::check::{NASTY, is_clean, is_square};
use super::*;

fn event(index: u64, actor: &str, at_unix_ms: i64) -> Event {
    let (label, kind) = ("call".to_owned(), Kind::Work);
    Event { index, actor: actor.to_owned(), label, kind, at_unix_ms, until_unix_ms: None, refused: false, quiet: false }
}

#[test]
fn nothing_one_and_many() {
    let many =
        LANES.iter().cycle().zip(0..2_000_u32).map(|(lane, n)| event(n.into(), lane, i64::from(n) * 7)).collect();
    for events in [vec![], vec![event(1, "intake", 5)], many, vec![event(1, "a", i64::MIN), event(2, "a", i64::MAX)]] {
        is_clean(&draw("l", &events));
        is_square(&table(&events));
    }
}

#[test]
fn refusals_are_said_in_a_word_and_linked() {
    let mut events = vec![event(7, "orchestrator", 0), event(9, "guardian", 3)];
    events[1].refused = true;
    let svg = draw("l", &events);
    assert!(svg.contains("href=\"#e9\"") && svg.contains(">refused</text>") && svg.contains("refused, entry 9: call"));
    assert!(svg.contains("2 events by 2 actors within 3 ms; 1 refused."), "{svg}");
    assert_eq!(table(&events).rows, [["orchestrator", "1", "0", "0 ms"], ["guardian", "1", "1", "0 ms"]]);
}

#[test]
fn a_long_silence_is_a_break_that_says_how_long() {
    let svg = draw("l", &[event(1, "intake", 0), event(2, "physician", 11_520_000)]);
    assert!(svg.contains(">3 h 12 min</text>") && svg.contains("break-edge"), "{svg}");
}

#[test]
fn lanes_are_in_their_order_and_strangers_last() {
    let names = [event(1, "zebra", 0), event(2, "physician", 0), event(3, "clinician", 0), event(4, "ant", 0)];
    assert_eq!(actors(&names), ["clinician", "physician", "ant", "zebra"]);
}

#[test]
fn hostile_labels() {
    let mut events = vec![event(1, NASTY, 0)];
    events[0].label = NASTY.to_owned();
    is_clean(&draw("l", &events));
}
