//! The memory of used call tokens.

use std::collections::{BTreeSet, HashSet};

use crate::id::TokenId;
use crate::refusal::{Hop, Refusal};
use crate::verify::Chain;

/// Remembers each call token until it expires, so that it is accepted once. When full it refuses rather than forgets.
///
/// It lives in memory; that a restart forgets nothing that matters is what [`Refusal::BeforeStart`] is for.
#[derive(Debug)]
pub struct Spent {
    used: HashSet<TokenId>,
    by_end: BTreeSet<(u64, TokenId)>,
    most: usize,
    /// Everything that expired at or before this moment is forgotten, so nothing that old is admitted again, even
    /// if the clock goes back.
    horizon: u64,
}

impl Spent {
    /// A memory of at most `most` calls. A gate that admits r calls a second needs at most 60 · r.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { used: HashSet::new(), by_end: BTreeSet::new(), most, horizon: 0 }
    }

    /// Uses up a verified call.
    ///
    /// # Errors
    /// [`Refusal::Replayed`], [`Refusal::Expired`] or [`Refusal::MemoryFull`].
    pub fn admit(&mut self, chain: &Chain, now: u64) -> Result<(), Refusal> {
        let (id, end) = (chain.call.id, chain.call.expires_ms);
        self.forget(now);
        if end <= self.horizon {
            return Err(Refusal::Expired(Hop::Call));
        }
        if self.used.contains(&id) {
            return Err(Refusal::Replayed);
        }
        if self.used.len() >= self.most {
            return Err(Refusal::MemoryFull);
        }
        self.used.insert(id);
        self.by_end.insert((end, id));
        Ok(())
    }

    /// How many calls are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    fn forget(&mut self, now: u64) {
        self.horizon = self.horizon.max(now);
        while let Some(&(end, id)) = self.by_end.first() {
            if end > self.horizon {
                break;
            }
            self.by_end.pop_first();
            self.used.remove(&id);
        }
    }
}
