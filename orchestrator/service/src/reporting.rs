//! The report of a session, with the log's receipt.

use crate::{
    error::Error,
    runner::{Live, Runner},
};
use bodh_panel::{AuditLine, Report};
use std::time::Instant;

impl Runner {
    /// The report as it stands. Everything that it tells of is in the log, and the log is published, before it leaves.
    pub(crate) async fn report(&self, live: &mut Live) -> Result<Report, Error> {
        let began = Instant::now();
        let index = self.outbox.acknowledged(live.queued).await?;
        let (checkpoint, note) = self.audit.checkpoint(index.saturating_add(1)).await?;
        let entries = self.session_entries(&live.row.id).await?.len();
        live.took("receipt", began);
        let mut report = Report::of(&live.panel);
        report.audit = AuditLine {
            entries: u64::try_from(entries).unwrap_or(u64::MAX),
            size: checkpoint.size,
            root: data_encoding::HEXLOWER.encode(checkpoint.root.as_bytes()),
            checkpoint: note,
        };
        report.warnings.clone_from(&live.warnings);
        report.versions.clone_from(&self.versions);
        report.timings_ms.clone_from(&live.timings);
        let total = live.began.elapsed().as_secs_f64() * 1000.0;
        report.timings_ms.insert("total".to_owned(), total);
        Ok(report)
    }
}
