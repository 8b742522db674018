//! A trace as lanes: one per actor, time to the right, a mark for each entry.

mod event;

pub use event::{Event, Kind, LANES};

use super::Table;
use super::marks::{Shape, shape};
use super::svg::{Anchor, At, Svg};
use super::time_axis::TimeAxis;
use super::words::{count, duration};

/// Where the lanes begin.
const LEFT: f64 = 138.0;
/// A lane's height.
const LANE: f64 = 32.0;
/// Above the first lane.
const TOP: f64 = 30.0;

/// The actors of these events, in the order of their lanes.
fn actors(events: &[Event]) -> Vec<&str> {
    let mut names: Vec<&str> = events.iter().map(|event| event.actor.as_str()).collect();
    let order = |name: &&str| LANES.iter().position(|lane| lane == name).unwrap_or(LANES.len());
    names.sort_by(|a, b| order(a).cmp(&order(b)).then(a.cmp(b)));
    names.dedup();
    names
}

/// The drawing. Its width grows with the events, so it stands in a box that scrolls.
pub fn draw(id: &str, events: &[Event]) -> String {
    let names = actors(events);
    let width = (LEFT + 60.0 + 8.0 * events.len() as f64).clamp(780.0, 3_200.0);
    let bottom = TOP + LANE * names.len() as f64;
    let title = "The trace, a lane for each actor";
    if events.is_empty() {
        return Svg::nothing(id, "lanes", title, "No entry to show.");
    }
    let mut svg = Svg::open_as("group", id, "lanes", (width, bottom + 56.0), title, &message(events, &names));
    let instants = events.iter().flat_map(|event| std::iter::once(event.at_unix_ms).chain(event.until_unix_ms));
    let axis = TimeAxis::new(instants.collect(), LEFT + 16.0, width - 28.0);
    for (lane, name) in names.iter().enumerate() {
        let top = TOP + LANE * lane as f64;
        if lane.is_multiple_of(2) {
            svg.rect("band", (0.0, top), (width, LANE), 0.0);
        }
        svg.text("strong", (10.0, top + LANE / 2.0 + 4.5), Anchor::Start, &short(name));
    }
    let mut free = f64::MIN;
    for silence in &axis.breaks {
        let half = (silence.half - 2.0).clamp(3.0, 14.0);
        svg.rect("break", (silence.at - half, TOP), (2.0 * half, bottom - TOP), 0.0);
        for edge in [silence.at - half, silence.at + half] {
            svg.path("break-edge", &zigzag(edge, TOP, bottom));
        }
        let text = duration(silence.ms);
        let wide = 4.0 + 3.5 * text.chars().count() as f64;
        if silence.at - wide > free {
            svg.text("tick strong", (silence.at, TOP - 10.0), Anchor::Middle, &text);
            free = silence.at + wide;
        }
    }
    let mut words = vec![f64::MIN; names.len()];
    let mut order: Vec<&Event> = events.iter().collect();
    order.sort_by_key(|event| (!event.quiet, event.refused, event.index));
    for event in order {
        let Some(lane) = names.iter().position(|name| *name == event.actor) else { continue };
        draw_event(&mut svg, event, &axis, (width, TOP + LANE * (lane as f64 + 0.5)), words.get_mut(lane));
    }
    key(&mut svg, events, bottom + 27.0);
    svg.finish()
}

/// One event, in a drawing of this width. `free` is where the lane's last written word ends.
fn draw_event(svg: &mut Svg, event: &Event, axis: &TimeAxis, (width, y): At, free: Option<&mut f64>) {
    let x = axis.at(event.at_unix_ms);
    let class = match (event.refused, event.quiet) {
        (true, _) => "event is-refused".to_owned(),
        (false, true) => "event is-quiet".to_owned(),
        (false, false) => format!("event kind-{}", event.kind.word()),
    };
    svg.link(&class, &format!("e{}", event.index), &title(event));
    let until = event.until_unix_ms.map_or(x, |until| axis.at(until).max(x));
    if event.refused {
        svg.rect("halo", (x - 9.0, y - 9.0), (18.0, 18.0), 9.0);
        svg.fill("mark", &shape(Shape::Cross, (x, y), 13.0));
        let (place, anchor) = if x + 66.0 > width { (x - 11.0, Anchor::End) } else { (x + 11.0, Anchor::Start) };
        if let Some(free) = free.filter(|free| x + 11.0 > **free) {
            svg.text("word", (place, y + 4.0), anchor, "refused");
            *free = x + 68.0;
        }
    } else if event.kind == Kind::Work && !event.quiet {
        svg.rect("mark", (x - 2.0, y - 6.0), ((until - x).max(3.0) + 2.0, 12.0), 2.0);
    } else {
        svg.fill("mark", &shape(event.kind.shape(), (x, y), if event.quiet { 4.0 } else { 10.0 }));
    }
    svg.end_link();
}

/// The key: the shapes that occur.
fn key(svg: &mut Svg, events: &[Event], y: f64) {
    let mut x = 16.0;
    let loud = |kind: &Kind| events.iter().any(|event| event.kind == *kind && !event.quiet && !event.refused);
    let mut entry = |class: &str, mark: &dyn Fn(&mut Svg, f64), word: &str| {
        svg.group(class, "");
        mark(svg, x);
        svg.end_group();
        svg.text("tick", (x + 14.0, y), Anchor::Start, word);
        x += 32.0 + 7.2 * word.chars().count() as f64;
    };
    for kind in Kind::ALL.into_iter().filter(loud) {
        let mark = |svg: &mut Svg, x: f64| match kind {
            Kind::Work => svg.rect("mark", (x - 6.0, y - 10.0), (14.0, 12.0), 2.0),
            _ => svg.fill("mark", &shape(kind.shape(), (x, y - 4.0), 10.0)),
        };
        entry(&format!("event kind-{}", kind.word()), &mark, kind.word());
    }
    if events.iter().any(|event| event.refused) {
        entry("event is-refused", &|svg, x| svg.fill("mark", &shape(Shape::Cross, (x, y - 4.0), 12.0)), "refused");
    }
    if events.iter().any(|event| event.quiet) {
        entry("event is-quiet", &|svg, x| svg.fill("mark", &shape(Shape::Circle, (x, y - 4.0), 4.0)), "quiet entry");
    }
    svg.text(
        "tick",
        (10.0, y + 20.0),
        Anchor::Start,
        "Room grows with the logarithm of time; a torn strip is a silence of the length above it.",
    );
}

/// A torn edge.
fn zigzag(x: f64, top: f64, bottom: f64) -> String {
    let mut d = format!("M{x:.1} {top:.1}");
    let mut y = top;
    let mut side = 3.0;
    while y < bottom {
        y = (y + 6.0).min(bottom);
        d.push_str(&format!("L{:.1} {y:.1}", x + side));
        side = -side;
    }
    d
}

/// A lane's name, cut where it would reach into the lane.
fn short(name: &str) -> String {
    let long = name.chars().count() > 19;
    if long { name.chars().take(18).chain(std::iter::once('…')).collect() } else { name.to_owned() }
}

/// What an event says when pointed at.
fn title(event: &Event) -> String {
    let took = event.until_unix_ms.map(|until| until.saturating_sub(event.at_unix_ms).max(0).unsigned_abs());
    let took = took.map_or(String::new(), |ms| format!(", {}", duration(ms)));
    format!("{}{}: {}{took}", if event.refused { "refused, entry " } else { "entry " }, event.index, event.label)
}

/// The main message.
fn message(events: &[Event], names: &[&str]) -> String {
    let (from, to) = events.iter().fold((i64::MAX, i64::MIN), |(from, to), event| {
        (from.min(event.at_unix_ms), to.max(event.until_unix_ms.unwrap_or(event.at_unix_ms)).max(event.at_unix_ms))
    });
    let refused = events.iter().filter(|event| event.refused).count();
    let refused = if refused == 0 { "none refused".to_owned() } else { format!("{refused} refused") };
    if events.is_empty() {
        return "There is no entry.".to_owned();
    }
    let span = duration(to.saturating_sub(from).max(0).unsigned_abs());
    format!(
        "{} by {} within {span}; {refused}. The table beside has each.",
        count(events.len(), "event"),
        count(names.len(), "actor")
    )
}

/// The same as a table: a row per actor. The trace's own table has a row per entry.
pub fn table(events: &[Event]) -> Table {
    let mut table = Table::new(&["Actor", "Events", "Refused", "Time at work"]);
    for name in actors(events) {
        let own = || events.iter().filter(|event| event.actor == name);
        let busy =
            own().filter_map(|event| Some(event.until_unix_ms?.saturating_sub(event.at_unix_ms).max(0).unsigned_abs()));
        let refused = own().filter(|event| event.refused).count();
        let busy = duration(busy.fold(0, u64::saturating_add));
        table.rows.push(vec![name.to_owned(), own().count().to_string(), refused.to_string(), busy]);
    }
    table
}

#[cfg(test)]
mod tests;
