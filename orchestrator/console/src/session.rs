//! The cookie and the token against forged requests: random, compared in constant time, worth nothing elsewhere.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::{SecureRandom, SystemRandom};

/// `__Host-`: this host alone, over TLS alone, for all paths (RFC 6265bis, section 4.1.3.2).
const NAME: &str = "__Host-bodh";

/// 32 random bytes as text; none when the system gives no randomness.
pub(crate) fn secret() -> Option<String> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(BASE64URL_NOPAD.encode(&bytes))
}

/// 32 hex digits.
pub(crate) fn nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(data_encoding::HEXLOWER.encode(&bytes))
}

/// The cookie's value, if the browser sent exactly one.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = values.by_ref().filter(|(name, _)| *name == NAME).map(|(_, value)| value);
    let first = ours.next()?;
    ours.next().is_none().then_some(first)
}

/// Sets the cookie for so many seconds; 0 takes it back.
pub(crate) fn set_cookie(value: &str, seconds: i64) -> Option<HeaderValue> {
    let text = format!("{NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", seconds.max(0));
    HeaderValue::from_str(&text).ok()
}

/// Compares without telling by its time where two texts differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn one_cookie_of_ours_is_read_and_two_are_none() {
        assert_eq!(cookie(&headers(&["a=b; __Host-bodh=x"])), Some("x"));
        assert_eq!(cookie(&headers(&["a=b", "__Host-bodh=x"])), Some("x"));
        assert_eq!(cookie(&headers(&["__Host-bodh=x; __Host-bodh=y"])), None);
        assert_eq!(cookie(&headers(&["bodh=x"])), None);
        assert_eq!(cookie(&headers(&[])), None);
    }

    #[test]
    fn the_cookie_says_what_protects_it() {
        let set = set_cookie("v", 900).unwrap();
        assert_eq!(set, "__Host-bodh=v; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=900");
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && same("", ""));
        assert_ne!(secret(), secret());
        assert_eq!(nonce().map(|n| n.len()), Some(32));
    }
}
