//! Numbers and labels as people read them.

/// `87.1 %`; what is not quite nothing is not shown as nothing.
pub(crate) fn percent(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    if share > 0.0 && share < 0.000_5 {
        return "<0.1 %".to_owned();
    }
    if share < 1.0 && share > 0.999_5 {
        return ">99.9 %".to_owned();
    }
    format!("{:.1} %", share * 100.0)
}

/// `$1,204.50`.
pub(crate) fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100)
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Two units at most: `340 ms`, `4.2 s`, `3 min 20 s`, `5 h 7 min`, `2 d 3 h`.
pub(crate) fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    if ms < 10_000 {
        return format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    }
    for (at, (unit, name)) in UNITS.iter().enumerate() {
        if ms < *unit {
            continue;
        }
        let rest = UNITS.get(at + 1).map(|(small, small_name)| (ms % unit / small, small_name));
        return match rest {
            Some((count, small)) if count > 0 => format!("{} {name} {count} {small}", ms / unit),
            _ => format!("{} {name}", ms / unit),
        };
    }
    String::new()
}

/// One thing or several: `1 order`, `3 orders`.
pub(crate) fn count(number: usize, one: &str) -> String {
    format!("{} {one}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// At most `lines` lines of about `width` characters, cut between words where there is a space; `…` where it is cut off.
pub(crate) fn wrap(text: &str, width: usize, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        for piece in pieces(word, width) {
            let long = line.chars().count() + 1 + piece.chars().count() > width;
            if long && !line.is_empty() {
                out.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&piece);
        }
    }
    if !line.is_empty() {
        out.push(line);
    }
    if out.len() > lines {
        out.truncate(lines);
        if let Some(last) = out.last_mut() {
            *last = last.chars().take(width).collect();
            last.push('…');
        }
    }
    out
}

/// A word in pieces that fit a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    chars.chunks(width.max(1)).map(|chunk| chunk.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(percent(0.871), "87.1 %");
        assert_eq!(
            (percent(0.000_1), percent(0.999_9), percent(1.0)),
            ("<0.1 %".into(), ">99.9 %".into(), "100.0 %".into())
        );
        assert_eq!(percent(f64::NAN), "0.0 %");
        assert_eq!((dollars(120_450), dollars(-5)), ("$1,204.50".into(), "-$0.05".into()));
        assert_eq!(duration(340), "340 ms");
        assert_eq!(
            (duration(4_210), duration(200_000), duration(18_420_000)),
            ("4.2 s".into(), "3 min 20 s".into(), "5 h 7 min".into())
        );
        assert_eq!((duration(86_400_000), duration(60_000)), ("1 d".into(), "1 min".into()));
        assert_eq!(count(1, "round"), "1 round");
    }

    #[test]
    fn labels_are_wrapped_and_cut() {
        assert_eq!(wrap("Wilson disease", 20, 2), ["Wilson disease"]);
        assert_eq!(
            wrap("Mitochondrial DNA depletion syndrome 6", 18, 2),
            ["Mitochondrial DNA", "depletion syndrome…"].map(String::from)
        );
        assert_eq!(wrap("", 10, 2), Vec::<String>::new());
        assert_eq!(wrap("aaaaaaaaaaaa", 5, 2), ["aaaaa", "aaaaa…"]);
    }
}
