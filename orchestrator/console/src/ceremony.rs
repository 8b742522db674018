//! Ceremonies that have begun: what a passkey was asked to sign, for two minutes, once.

use crate::session::secret;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long somebody has to touch a key.
const LASTS: Duration = Duration::from_secs(120);
/// Ceremonies at once; the oldest makes room.
const MOST: usize = 1024;

/// What waits for a signature, by its handle.
pub(crate) struct Ceremonies<T> {
    begun: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T> Default for Ceremonies<T> {
    fn default() -> Self {
        Self { begun: Mutex::default() }
    }
}

impl<T> Ceremonies<T> {
    /// Keeps it; the handle to take it by. None when the system gives no randomness.
    pub(crate) fn begin(&self, what: T) -> Option<String> {
        self.begin_at(what, Instant::now())
    }

    fn begin_at(&self, what: T, now: Instant) -> Option<String> {
        let handle = secret()?;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, (since, _)| now.duration_since(*since) < LASTS);
        if begun.len() >= MOST {
            let oldest = begun.iter().min_by_key(|(_, (since, _))| *since).map(|(handle, _)| handle.clone());
            oldest.and_then(|oldest| begun.remove(&oldest));
        }
        begun.insert(handle.clone(), (now, what));
        Some(handle)
    }

    /// Goes on with what was taken, under its handle and for as long again.
    pub(crate) fn go_on(&self, handle: &str, what: T) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(handle.to_owned(), (Instant::now(), what));
    }

    /// Takes it, whatever comes of it.
    pub(crate) fn take(&self, handle: &str) -> Option<T> {
        self.take_at(handle, Instant::now())
    }

    fn take_at(&self, handle: &str, now: Instant) -> Option<T> {
        let taken = self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(handle);
        taken.filter(|(since, _)| now.duration_since(*since) < LASTS).map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceremony_is_taken_once_and_in_time() {
        let (ceremonies, now) = (Ceremonies::default(), Instant::now());
        let handle = ceremonies.begin_at("x", now).unwrap();
        assert_eq!(ceremonies.take_at(&handle, now + LASTS / 2), Some("x"));
        assert_eq!(ceremonies.take_at(&handle, now), None, "once");
        let late = ceremonies.begin_at("y", now).unwrap();
        assert_eq!(ceremonies.take_at(&late, now + LASTS), None, "too late");
        assert_eq!(ceremonies.take_at("made up", now), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let (ceremonies, now) = (Ceremonies::default(), Instant::now());
        let first = ceremonies.begin_at(0, now).unwrap();
        for n in 1..=MOST {
            ceremonies.begin_at(n, now + Duration::from_millis(1)).unwrap();
        }
        assert_eq!(ceremonies.take_at(&first, now), None);
        assert_eq!(ceremonies.begun.lock().unwrap().len(), MOST);
    }
}
