//! `genes_to_phenotype.txt`: which genes a disease is annotated with.

use super::{row, text};
use crate::BuildError;
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "genes_to_phenotype.txt";

/// Disease id to its gene symbols.
pub(crate) fn genes(bytes: &[u8]) -> Result<BTreeMap<&str, BTreeSet<&str>>, BuildError> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (line, content) in text(FILE, bytes)?.lines().enumerate() {
        if line == 0 {
            if !content.starts_with("ncbi_gene_id\tgene_symbol\t") {
                return Err(row(FILE, 1, "expected the header `ncbi_gene_id gene_symbol hpo_id …`"));
            }
            continue;
        }
        let columns: Vec<&str> = content.split('\t').collect();
        let [_, symbol, _, _, _, disease] = columns.as_slice() else {
            return Err(row(FILE, line + 1, format!("expected 6 columns, found {}", columns.len())));
        };
        found.entry(disease).or_default().insert(symbol);
    }
    Ok(found)
}
