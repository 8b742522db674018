//! Writes SVG: every text escaped, every number finite.

/// Where something stands.
pub(crate) type At = (f64, f64);

/// How a text stands to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// Room for the heading of a drawing that is a file.
const HEADING: f64 = 34.0;
/// What the pages' sheet says of a drawing, for one that stands alone.
const COLOURS: &str = ".picture{color:#17202a}.p-ground{color:#fff}.p-grid{color:#d5dbe1}.p-axis{color:#767f82}.p-tick,.p-note{color:#4a5763}\
    .p-heading{font-size:14px;font-weight:600}.p-diagonal{color:#4a5763}.p-thread{color:#0d5a62;opacity:.6}.p-dot{color:#0d5a62}\
    .p-note{font-style:italic}.p-value{font-weight:600}.p-value,.p-note{paint-order:stroke;stroke:#fff;stroke-width:3}";

/// A drawing under way.
#[derive(Debug)]
pub(crate) struct Svg(String);

impl Svg {
    /// Begins a drawing. `id` tells the drawings of a page apart; `desc` says the main message in words.
    pub(crate) fn open(id: &str, class: &str, size: At, title: &str, desc: &str) -> Self {
        Self::open_as("img", id, class, size, title, desc)
    }

    /// The same for a drawing that holds links, which an image may not.
    pub(crate) fn open_as(role: &str, id: &str, class: &str, (width, height): At, title: &str, desc: &str) -> Self {
        let id = plain(id);
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture {class}\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"{role}\" aria-labelledby=\"{id}-title {id}-desc\" fill=\"none\" stroke=\"none\">\
             <title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{desc}</desc>",
            w = number(width),
            h = number(height),
            class = classes(class),
            title = escape(title),
            desc = escape(desc),
        ))
    }

    /// Begins a drawing that is a file of its own: on white, with its heading above it and its colours inside.
    pub(crate) fn alone(class: &str, (width, height): At, heading: &str, desc: &str) -> Self {
        let [w, h, above] = [width, height + HEADING, -HEADING].map(number);
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture {class}\" viewBox=\"0 {above} {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" fill=\"none\" stroke=\"none\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\
             <title>{title}</title><desc>{desc}</desc><style>{COLOURS}</style>",
            class = classes(class),
            title = escape(heading),
            desc = escape(desc),
        ));
        svg.rect("ground", (0.0, -HEADING), (width, height + HEADING), 0.0);
        svg.text("heading", (14.0, 22.0 - HEADING), Anchor::Start, heading);
        svg
    }

    /// A straight line.
    pub(crate) fn line(&mut self, class: &str, (x1, y1): At, (x2, y2): At) {
        let class = classes(class);
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        self.put(&format!(
            "<line class=\"{class}\" stroke=\"currentColor\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    /// A line through some places. `dash` is empty for a drawn-through one.
    pub(crate) fn polyline(&mut self, class: &str, dash: &str, points: &[At]) {
        let class = classes(class);
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        self.put(&format!(
            "<polyline class=\"{class}\" stroke=\"currentColor\" stroke-linejoin=\"round\"{dash} points=\"{}\"/>",
            points.join(" ")
        ));
    }

    /// A drawn and filled shape: the class says which of the two shows.
    pub(crate) fn path(&mut self, class: &str, d: &str) {
        let class = classes(class);
        self.put(&format!("<path class=\"{class}\" stroke=\"currentColor\" d=\"{d}\"/>"));
    }

    /// A filled shape.
    pub(crate) fn fill(&mut self, class: &str, d: &str) {
        let class = classes(class);
        self.put(&format!("<path class=\"{class}\" fill=\"currentColor\" d=\"{d}\"/>"));
    }

    /// A filled rectangle with rounded corners.
    pub(crate) fn rect(&mut self, class: &str, (x, y): At, (width, height): At, radius: f64) {
        let class = classes(class);
        let [x, y, w, h, r] = [x, y, width.max(0.0), height.max(0.0), radius].map(number);
        self.put(&format!("<rect class=\"{class}\" fill=\"currentColor\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\"/>"));
    }

    /// A text on its base line.
    pub(crate) fn text(&mut self, class: &str, (x, y): At, anchor: Anchor, text: &str) {
        let class = classes(class);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, text) = (number(x), number(y), escape(text));
        self.put(&format!("<text class=\"{class}\" fill=\"currentColor\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"));
    }

    /// Begins a group. What it shows when pointed at is `title`, unless that is empty.
    pub(crate) fn group(&mut self, class: &str, title: &str) {
        let class = classes(class);
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
        self.put(&format!("<g class=\"{class}\">{title}"));
    }

    /// Ends a group.
    pub(crate) fn end_group(&mut self) {
        self.put("</g>");
    }

    /// Begins a link to a place in the page. It is for pointing only: with the keyboard, the table beside has the same.
    pub(crate) fn link(&mut self, class: &str, anchor: &str, title: &str) {
        let (class, anchor, title) = (classes(class), plain(anchor), escape(title));
        self.put(&format!("<a class=\"{class}\" href=\"#{anchor}\" tabindex=\"-1\"><title>{title}</title>"));
    }

    /// Ends a link.
    pub(crate) fn end_link(&mut self) {
        self.put("</a>");
    }

    /// A picture of nothing, which says so.
    pub(crate) fn nothing(id: &str, class: &str, title: &str, text: &str) -> String {
        let mut svg = Self::open(id, class, (470.0, 56.0), title, text);
        svg.text("note", (12.0, 32.0), Anchor::Start, text);
        svg.finish()
    }

    /// The whole drawing.
    pub(crate) fn finish(mut self) -> String {
        self.put("</svg>");
        self.0
    }

    /// Appends markup.
    fn put(&mut self, markup: &str) {
        self.0.push_str(markup);
    }
}

/// A coordinate: one decimal, never `NaN`, `inf` or `-0`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{:.1}", value.clamp(-1e6, 1e6));
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text for an element or a quoted attribute. Control characters, and those that turn the direction of what follows,
/// are shown as replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}')
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The sheet's names: all begin with `p-`, so that no other sheet means them.
fn classes(names: &str) -> String {
    let names: Vec<String> = names.split(' ').map(|name| format!("p-{}", plain(name))).collect();
    names.join(" ")
}

/// Letters, digits and hyphens of an id.
fn plain(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("<b a=\"1\">&'\u{0}\u{202e}x"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\u{fffd}\u{fffd}x");
        let mut svg = Svg::open("a\" onload=\"x", "c", (10.0, 10.0), "</title><script>", "d");
        svg.link("c", "e1\"><script>", "t\"");
        svg.end_link();
        let svg = svg.finish();
        assert!(!svg.contains("<script") && !svg.contains("onload=\"") && svg.contains("href=\"#e1script\""), "{svg}");
    }

    #[test]
    fn numbers_are_finite_and_short() {
        assert_eq!(
            [number(1.0), number(1.25), number(-0.01), number(f64::NAN), number(f64::INFINITY)],
            ["1", "1.2", "0", "0", "0"]
        );
    }
}
