//! Who opens a database, and who names the record's tables.

use super::{
    finding::{Finding, at, finds, hold},
    source::{line_of, occurrences},
    tree::Tree,
    words,
};

/// The crates with a store.
const STORES: [&str; 3] = ["audit/service", "guardian/service", "orchestrator/service"];
const RECORD: &str = "audit/service/";

/// Words that make a literal a statement of SQL, in the capitals that SQL is written in here.
const SQL: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "REPLACE"];

fn databases(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let outside = |path: &str| !STORES.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    for file in tree.files().filter(|file| outside(&file.path) && file.path != "Cargo.toml") {
        if file.name() == "Cargo.toml" {
            let lines = file.text.lines().enumerate().filter(|(_, line)| {
                let line = line.split('#').next().unwrap_or_default();
                occurrences(line, "sqlx").next().is_some() || occurrences(line, "rusqlite").next().is_some()
            });
            findings.extend(lines.map(|(line, _)| at(&file.path, line + 1, "a database driver")));
        } else if file.path.ends_with(".rs") {
            let code = &file.source().code;
            let places = ["sqlx", "rusqlite"].into_iter().flat_map(|word| occurrences(code, word));
            findings.extend(places.map(|offset| at(&file.path, line_of(code, offset), "a database driver")));
        }
    }
    findings
}

/// The tables that audit/service makes.
fn record_tables(tree: &Tree) -> Vec<String> {
    let sources = tree.production().filter(|file| file.path.starts_with(RECORD));
    let statements = sources.flat_map(|file| file.source().strings.iter());
    let made = statements.filter_map(|(_, text)| text.split_once("CREATE TABLE ")).map(|(_, rest)| rest);
    let name = |rest: &str| rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next().map(str::to_owned);
    made.filter_map(name).collect()
}

fn record_sql(tree: &Tree) -> Vec<Finding> {
    let tables = record_tables(tree);
    if tables.is_empty() {
        return vec![at(
            "audit/service/Cargo.toml",
            1,
            "no table of the record was found: the rule would check nothing",
        )];
    }
    let mut findings = Vec::new();
    let mut judge = |path: &str, line: usize, statement: &str| {
        let words: Vec<_> = words::with_offsets(statement).into_iter().map(|(_, word)| word).collect();
        let is_sql = words.iter().any(|word| SQL.contains(word));
        for table in tables.iter().filter(|table| is_sql && occurrences(statement, table).next().is_some()) {
            findings.push(at(path, line, format!("SQL that names the record's table `{table}`")));
        }
    };
    for file in tree.files().filter(|file| !file.path.starts_with(RECORD)) {
        if file.path.ends_with(".rs") {
            for (start, text) in &file.source().strings {
                judge(&file.path, line_of(&file.text, *start), text);
            }
        } else if file.path.ends_with(".sql") {
            judge(&file.path, 1, &file.text);
        }
    }
    findings
}

#[test]
fn three_services_have_a_store() {
    hold(
        "only audit/service, guardian/service and orchestrator/service open a database",
        "ask the service that owns the store",
        databases(Tree::here()),
    );
}

#[test]
fn only_the_audit_service_names_the_records_tables() {
    hold(
        "SQL on the record's tables is in audit/service alone",
        "append and read through bodh-audit-api",
        record_sql(Tree::here()),
    );
}

#[test]
fn planted_stores_and_sql_are_found() {
    // In parts: the literals of this file are searched as well.
    let (select, create) = (["SELECT leaf FROM", "entries"].join(" "), ["CREATE TABLE", "entries (a)"].join(" "));
    let schema = format!("const A: &str = \"{create}\";");
    let source = format!("let a = \"{select}\";\nlet b = \"read from entries\";\nlet c = \"{select}_of_mine\";\n");
    let tree = Tree::planted(&[
        ("Cargo.toml", "sqlx = \"1\"\n"),
        ("audit/service/Cargo.toml", "sqlx.workspace = true\n"),
        ("audit/service/src/schema.rs", &schema),
        ("agents/intake/Cargo.toml", "[dependencies]\n# not sqlx\nsqlx = { workspace = true }\n"),
        ("orchestrator/console/src/a.rs", "use sqlx::query; // sqlx\n"),
        ("orchestrator/service/src/a.rs", &source),
        ("deploy/a.sql", &select),
    ]);
    finds(databases(&tree), &[("agents/intake/Cargo.toml:3", "driver"), ("orchestrator/console/src/a.rs:1", "driver")]);
    finds(record_sql(&tree), &[("deploy/a.sql:1", "`entries`"), ("orchestrator/service/src/a.rs:1", "`entries`")]);
    finds(record_sql(&Tree::planted(&[])), &[("audit/service/Cargo.toml:1", "check nothing")]);
}
