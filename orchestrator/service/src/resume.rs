//! Carrying on what was interrupted: after a crash of ours, or while another service was away.

use crate::{
    error::Error,
    runner::{Runner, live},
};
use std::{sync::Arc, time::Duration};

/// How often a session is taken up again before it is left for the next start.
const TRIES: u32 = 12;
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(10);

impl Runner {
    /// Takes the session up again, after `pause` and then with growing pauses, until it is at rest.
    pub(crate) fn carry_on_later(self: &Arc<Self>, session: String, mut pause: Duration) {
        let runner = Arc::clone(self);
        tokio::spawn(async move {
            for _ in 0..TRIES {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).clamp(Duration::from_millis(200), LONGEST);
                match runner.carry_on(&session).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!(%error, session, "a session could not be carried on yet; it is kept"),
                }
            }
        });
    }

    async fn carry_on(&self, session: &str) -> Result<(), Error> {
        // From the store, whatever was in memory: that is what is durable.
        let mut held = self.enter(session, None).await?;
        let carried = async {
            let live = live(&mut held)?;
            self.recover(live).await?;
            self.drive(live).await
        };
        match carried.await {
            Ok(()) => self.leave(held).await,
            Err(error) => {
                self.forget(session, held);
                return Err(error);
            }
        }
        Ok(())
    }
}
