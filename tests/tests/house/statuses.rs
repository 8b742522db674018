//! One place per service turns an error into a gRPC status.

use super::{
    finding::{Finding, at, finds, hold},
    source::{braces_end, line_of, occurrences},
    tree::{File, Tree},
};

/// The target of a conversion.
const STATUS: [&str; 2] = ["Status", "tonic::Status"];

/// The folder of the crate that a file belongs to.
fn home<'a>(tree: &Tree, file: &'a File) -> &'a str {
    let mut folder = file.folder();
    while !folder.is_empty() && tree.file(&format!("{folder}/Cargo.toml")).is_none() {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    folder
}

/// Where one file maps errors to statuses: `impl From<…> for Status`, or a function that makes a status and answers it.
fn conversions(code: &str) -> Vec<usize> {
    let header = |start: usize| code[start..].split(['{', ';']).next().unwrap_or_default();
    let converts = |start: &usize| {
        let target = header(*start).split(" for ").nth(1).map(str::trim);
        target.is_some_and(|target| STATUS.contains(&target))
    };
    let makes = |start: &usize| {
        let answer = header(*start).rsplit_once("->").map(|(_, answer)| answer.trim());
        let open = *start + header(*start).len();
        let body = &code[open..braces_end(code, open)];
        answer.is_some_and(|answer| STATUS.contains(&answer)) && occurrences(body, "Status::").next().is_some()
    };
    let conversions = occurrences(code, "impl From<").filter(converts);
    conversions.chain(occurrences(code, "fn ").filter(makes)).collect()
}

fn mappings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests = tree.files().filter(|file| file.name() == "Cargo.toml" && !file.folder().is_empty());
    for folder in manifests.map(File::folder) {
        let sources: Vec<_> = tree.production().filter(|file| home(tree, file) == folder).collect();
        let serves = sources.iter().find(|file| file.source().production.contains("#[tonic::async_trait]"));
        let mut places = Vec::new();
        for file in &sources {
            let code = &file.source().production;
            places.extend(conversions(code).into_iter().map(|offset| (file, line_of(code, offset))));
        }
        if let (Some(handler), []) = (serves, places.as_slice()) {
            findings.push(at(&handler.path, 1, format!("{folder} serves, and maps no error to a status in one place")));
        }
        let surplus = places.iter().skip(1);
        findings
            .extend(surplus.map(|(file, line)| at(&file.path, *line, format!("a second error mapping in {folder}"))));
    }
    findings
}

#[test]
fn one_place_per_service_maps_errors_to_statuses() {
    hold(
        "each crate that serves gRPC has exactly one place that maps errors to statuses",
        "give the crate one error type and one `impl From<Error> for Status` in error.rs; handlers use `?` or `.into()`",
        mappings(Tree::here()),
    );
}

#[test]
fn planted_mappings_are_counted() {
    let served = "#[tonic::async_trait]\nimpl A for B {}\n";
    let tree = Tree::planted(&[
        ("a/Cargo.toml", ""),
        ("a/src/handlers.rs", served),
        ("a/src/error.rs", "impl From<Error> for Status {\n}\n"),
        ("b/Cargo.toml", ""),
        ("b/src/handlers.rs", served),
        ("b/src/error.rs", "impl From<Status> for Error {}\n// impl From<Error> for Status {}\n"),
        ("c/Cargo.toml", ""),
        ("c/src/a.rs", "impl From<Refusal> for Status {}\n"),
        ("c/src/b.rs", "\nimpl From<Error<'_>> for tonic::Status {}\n"),
        ("d/Cargo.toml", ""),
        (
            "d/src/a.rs",
            "#[tonic::async_trait]\nimpl A for B {}\nfn status(&self) -> Status { Status::new(a) }\nfn twice(&self) -> Status { self.status() }\n",
        ),
        (
            "d/src/b.rs",
            "fn again(e: E) -> tonic::Status {\n    Status::internal(e)\n}\nfn f() -> Result<A, Status> { Status::new(a) }\n",
        ),
        ("c/inner/Cargo.toml", ""),
        ("c/inner/src/b.rs", "impl From<Error> for Status {}\n"),
    ]);
    finds(
        mappings(&tree),
        &[
            ("b/src/handlers.rs:1", "maps no error"),
            ("c/src/b.rs:2", "a second error mapping in c"),
            ("d/src/b.rs:1", "in d"),
        ],
    );
}
