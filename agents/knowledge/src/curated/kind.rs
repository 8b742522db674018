//! What kind of thing a finding of our own is.

/// What kind of thing a finding of our own is, and so who can tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FindingKind {
    /// Something of the patient's past, or a state such as pregnancy.
    History,
    /// What the patient complains of.
    Symptom,
    /// What the patient was exposed to.
    Exposure,
    /// What the patient takes.
    Drug,
    /// What is seen, felt, heard or provoked.
    Examination,
    /// Measured at the bedside.
    Vital,
    /// Blood, urine and other fluids.
    Laboratory,
    /// Pictures.
    Imaging,
    /// Electrical or mechanical function.
    Function,
    /// Tissue and cells.
    Pathology,
}

impl FindingKind {
    const ALL: [(&'static str, FindingKind, &'static str); 10] = [
        ("history", FindingKind::History, "hx_past"),
        ("symptom", FindingKind::Symptom, "hx_present"),
        ("exposure", FindingKind::Exposure, "hx_exposures"),
        ("drug", FindingKind::Drug, "hx_drugs"),
        ("examination", FindingKind::Examination, "exam_general"),
        ("vital", FindingKind::Vital, "exam_vitals"),
        ("laboratory", FindingKind::Laboratory, ""),
        ("imaging", FindingKind::Imaging, ""),
        ("function", FindingKind::Function, ""),
        ("pathology", FindingKind::Pathology, ""),
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|k| k.0 == text).map(|k| k.1)
    }

    /// What a patient may have or do besides.
    pub(crate) fn is_incidental(self) -> bool {
        matches!(self, FindingKind::History | FindingKind::Exposure | FindingKind::Drug)
    }

    /// The question or examination that tells it when the file names none.
    pub(crate) fn told_by(self) -> &'static str {
        Self::ALL.iter().find(|k| k.1 == self).map_or("", |k| k.2)
    }
}

/// First words of findings that are something normal.
const NORMAL: [&str; 14] = [
    "Normal",
    "No",
    "Not",
    "Negative",
    "Absent",
    "Clear",
    "Alert",
    "Well",
    "Soft",
    "Intact",
    "Preserved",
    "Painless",
    "Absence",
    "Healthy",
];

/// First words of findings that say when or how badly, and not what.
const CIRCUMSTANCES: [&str; 7] = ["Symptoms", "Gradual", "Sudden", "Severe", "Mild", "Similar", "Never"];

pub(crate) fn is_circumstance(label: &str) -> bool {
    let first = label.split([' ', '-']).next().unwrap_or_default();
    CIRCUMSTANCES.contains(&first)
}

/// Whether a finding's label says that something is as it should be.
pub(crate) fn is_normal(label: &str) -> bool {
    let first = label.split([' ', '-']).next().unwrap_or_default();
    NORMAL.contains(&first)
}
