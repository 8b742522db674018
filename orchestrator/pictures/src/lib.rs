//! Pictures as SVG, and beside each the same data as a table: for the console's pages, and for what the benchmarks measured.
//!
//! Made for a page whose policy forbids inline style: classes and presentation attributes only, colours from the console's
//! `pictures.css`; a picture that is a file of its own ([`reliability::file`]) brings its colours along. Without a sheet
//! everything is still there, in the colour of the text. Nothing is told by colour alone: lines have dashes and marks of
//! their own and are labelled where they end. The same input gives the same bytes. Out of scope: sizes on the page, which
//! are the sheet's.

pub mod cost;
pub mod days;
pub mod differential;
pub mod dwell;
pub mod graph;
pub mod lanes;
mod marks;
pub mod measured;
pub mod reliability;
mod scale;
mod svg;
mod time_axis;
mod words;

/// What a picture shows, as text. The first cell of a row names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// One per column.
    pub headers: Vec<String>,
    /// As many cells in each as there are headers.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    fn new(headers: &[&str]) -> Self {
        Self { headers: headers.iter().map(|&header| header.to_owned()).collect(), rows: Vec::new() }
    }
}

#[cfg(test)]
mod check;
