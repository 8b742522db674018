//! Pictures that the server draws: inline SVG, and beside each the same data as a table.
//!
//! Made for a page whose policy forbids inline style: classes and presentation attributes only, colours from
//! `assets/pictures.css`. Without that sheet everything is still there, in the colour of the text. Nothing is told by
//! colour alone: lines have dashes and marks of their own and are labelled where they end. The same input gives the
//! same bytes. Out of scope: sizes on the page, which are the sheet's.

pub(crate) mod cost;
pub(crate) mod days;
pub(crate) mod differential;
pub(crate) mod dwell;
pub(crate) mod graph;
pub(crate) mod lanes;
mod marks;
mod scale;
mod svg;
mod time_axis;
mod words;

/// What a picture shows, as text. The first cell of a row names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// One per column.
    pub(crate) headers: Vec<String>,
    /// As many cells in each as there are headers.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    fn new(headers: &[&str]) -> Self {
        Self { headers: headers.iter().map(|&header| header.to_owned()).collect(), rows: Vec::new() }
    }
}

#[cfg(test)]
pub(crate) mod check;
