//! Whose session it is: a keyed tag of the patient's pseudonym, which says nothing without the key.

use super::{SessionRow, Store, StoreError};
use sqlx::{FromRow, Row, Sqlite, Transaction, sqlite::SqliteRow};

/// Sessions that were found, the newest first, each with how many of its escalations wait.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) sessions: Vec<(SessionRow, i64)>,
    /// There are older ones.
    pub(crate) more: bool,
}

pub(super) async fn insert(session: &str, tag: &[u8; 32], tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
    let query = sqlx::query("INSERT INTO patients VALUES (?, ?)").bind(session).bind(tag.as_slice());
    query.execute(&mut **tx).await?;
    Ok(())
}

impl Store {
    /// The sessions with this tag, at most `most`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn find_patient(&self, tag: &[u8; 32], most: usize) -> Result<Found, StoreError> {
        let query = sqlx::query(
            "SELECT s.*, (SELECT count(*) FROM escalations e WHERE e.session = s.id AND e.status = 'open') AS waiting \
             FROM patients p JOIN sessions s ON s.id = p.session WHERE p.tag = ? ORDER BY s.opened_ms DESC, s.id LIMIT ?",
        );
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let rows = query.bind(tag.as_slice()).bind(limit).fetch_all(&self.pool).await?;
        let read = |row: SqliteRow| Ok((SessionRow::from_row(&row)?, row.try_get("waiting")?));
        let mut sessions: Vec<_> = rows.into_iter().map(read).collect::<Result<_, StoreError>>()?;
        let more = sessions.len() > most;
        sessions.truncate(most);
        Ok(Found { sessions, more })
    }

    /// Removes a session's tag. Repeating it is harmless.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn forget_patient(&self, session: &str) -> Result<(), StoreError> {
        // Overwritten by secure_delete, and in the write-ahead log by what truncates it.
        sqlx::query("DELETE FROM patients WHERE session = ?").bind(session).execute(&self.pool).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&self.pool).await?;
        Ok(())
    }

    /// Whether no session was ever opened.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions)").fetch_one(&self.pool).await?;
        Ok(!any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(store: &Store, number: u32, tag: Option<&[u8; 32]>) -> String {
        let id = format!("{number:032x}");
        let row = SessionRow {
            id: id.clone(),
            trace: id.clone(),
            requester: "spiffe://d/human/ann".to_owned(),
            opened_ms: i64::from(number),
            budget_cents: 1,
            sequential: false,
            state: "convened".to_owned(),
            keys: vec![],
            closed: false,
            subject: vec![],
            identifiers: vec![],
            note: vec![],
            coded: vec![],
            hidden: None,
            warnings: vec![],
        };
        store.open_session(&row, tag, &[]).await.unwrap();
        id
    }

    #[tokio::test]
    async fn sessions_are_found_by_their_tag_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        assert!(store.is_empty().await.unwrap());
        let (one, two) = ([0xa7; 32], [2; 32]);
        let mut ids = Vec::new();
        for (number, tag) in [(1, Some(&one)), (2, Some(&two)), (3, None), (4, Some(&one)), (5, Some(&one))] {
            ids.push(opened(&store, number, tag).await);
        }
        let found = async |tag: &[u8; 32], most| {
            let Found { sessions, more } = store.find_patient(tag, most).await.unwrap();
            (sessions.into_iter().map(|(row, _)| row.opened_ms).collect::<Vec<_>>(), more)
        };
        assert_eq!(found(&one, 9).await, (vec![5, 4, 1], false), "the newest first");
        assert_eq!(found(&one, 3).await, (vec![5, 4, 1], false));
        assert_eq!(found(&one, 2).await, (vec![5, 4], true), "that there are more is said");
        assert_eq!(found(&[9; 32], 9).await, (vec![], false));
        assert!(!store.is_empty().await.unwrap());
        for id in &ids {
            store.forget_patient(id).await.unwrap();
            store.forget_patient(id).await.unwrap();
        }
        assert_eq!(found(&one, 9).await, (vec![], false));
        // Nor is it left on the disk.
        for name in ["orchestrator.db", "orchestrator.db-wal"] {
            let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
            assert!(!bytes.windows(32).any(|part| part == one), "{name}");
        }
    }
}
