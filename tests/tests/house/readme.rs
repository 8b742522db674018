//! What the README promises: links and paths that exist, and two first commands that are the real ones.

use super::{
    finding::{Finding, at, finds, hold},
    tree::{TOP, Tree},
};

const README: &str = "README.md";
const CI: &str = ".ci/run";

/// The first commands of the README, in order.
const COMMANDS: [&str; 2] = ["deploy/try", "tests/run"];

/// What stands between `open` and `close` in a line.
fn between<'a>(line: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    line.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

/// The paths that a line speaks of: relative links, and what looks like a path of the repository in backticks.
fn paths(line: &str) -> Vec<String> {
    let link =
        |target: &&str| !target.contains("://") && !target.starts_with(['#', '/']) && !target.starts_with("mailto:");
    let links = between(line, "](", ')').filter(link).map(|target| target.split(['#', ' ']).next().unwrap_or_default());
    let code = line.split('`').skip(1).step_by(2).filter_map(|code| code.split_whitespace().next());
    let ours = |word: &&str| {
        let top = word.trim_start_matches("./").split('/').next().unwrap_or_default();
        let known = TOP.contains(&top) || [".ci", ".cargo", ".config"].contains(&top);
        let pattern = word.contains(['*', '{', '<', '…', '$', ':']) || word.contains("NAME");
        known && (word.contains('/') || top.contains('.') || top == "LICENSE") && !pattern
    };
    let all = links
        .chain(code.filter(ours))
        .map(|path| path.trim_start_matches("./").trim_end_matches(['/', ',', '.']).to_owned());
    all.filter(|path| !path.is_empty()).collect()
}

/// The commands in the fenced shell blocks, with their lines.
fn commands(text: &str) -> Vec<(usize, String)> {
    let (mut commands, mut fence) = (Vec::new(), None::<(bool, Vec<(usize, String)>)>);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(language)) => {
                fence =
                    Some((["sh", "bash", "shell", "console", "shell-session"].contains(&language.trim()), Vec::new()));
            }
            (Some((shell, lines)), Some(_)) => {
                // With prompts, what has none is output.
                let prompted = lines.iter().any(|(_, line)| line.starts_with("$ "));
                let kept = lines.drain(..).filter(|(_, line)| *shell && (!prompted || line.starts_with("$ ")));
                commands.extend(kept.map(|(at, line)| (at, line.trim_start_matches("$ ").to_owned())));
                fence = None;
            }
            (Some((_, lines)), None) if !line.is_empty() && !line.starts_with('#') => {
                lines.push((number + 1, line.to_owned()))
            }
            _ => {}
        }
    }
    commands
}

fn readme(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(README) else { return vec![at(README, 1, "there is none")] };
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let gone = paths(line).into_iter().filter(|path| !tree.holds(path));
        findings.extend(gone.map(|path| at(README, number + 1, format!("`{path}` does not exist"))));
    }
    let commands = commands(&file.text);
    for (place, expected) in COMMANDS.iter().enumerate() {
        let said = commands.get(place);
        let first = said
            .and_then(|(_, line)| line.trim_start_matches("bash ").trim_start_matches("./").split_whitespace().next());
        if first != Some(expected) {
            let line = said.map_or(1, |(line, _)| *line);
            findings.push(at(
                README,
                line,
                format!("command {} in a fenced sh block is {first:?}, not {expected}", place + 1),
            ));
        }
    }
    findings
}

fn ci(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(CI) else { return vec![at(CI, 1, "there is none")] };
    let mut runs = 0;
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let words: Vec<_> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            [] | ["set", ..] => {}
            ["cd", ..] if !line.contains([';', '&', '|']) => {}
            ["exec", "bash", "tests/run"]
            | ["exec" | "bash", "tests/run" | "./tests/run"]
            | ["tests/run" | "./tests/run"] => runs += 1,
            _ => findings.push(at(CI, number + 1, format!("`{}` beside tests/run", line.trim()))),
        }
    }
    if runs != 1 {
        findings.push(at(CI, 1, format!("calls tests/run {runs} times, not once")));
    }
    findings
}

#[test]
fn the_readme_speaks_of_what_exists() {
    hold(
        "every relative link and repository path of the README exists; its first command is deploy/try, its second tests/run",
        "correct the README, or bring back what it names; mark blocks of commands as sh",
        readme(Tree::here()),
    );
}

#[test]
fn continuous_integration_is_the_test_command() {
    hold(".ci/run calls tests/run and nothing else", "put the step into tests/run", ci(Tree::here()));
}

#[test]
fn planted_dead_links_and_commands_are_found() {
    let text = "# A\n[a](guardian/gone) [b](https://x.y/z) [c](deploy/try#a) `guardian/here/` `agents/gone.rs` `and/or` `DIR/log`\n\
                ```text\nnot a command\n```\n```sh\n# a comment\ndeploy/try\n```\n```console\n$ cargo test\nok\n```\n";
    let tree =
        Tree::planted(&[("README.md", text), ("deploy/try", "a"), ("guardian/here/a.rs", "a"), ("tests/run", "a")]);
    finds(
        readme(&tree),
        &[
            ("README.md:2", "agents/gone.rs"),
            ("README.md:2", "guardian/gone"),
            ("README.md:11", "\"cargo\"), not tests/run"),
        ],
    );
    finds(readme(&Tree::planted(&[])), &[("README.md:1", "none")]);
}

#[test]
fn planted_steps_beside_the_test_command_are_found() {
    let good = "#!/bin/sh\n# what\nset -e\ncd \"$(dirname \"$0\")/..\"\nexec bash tests/run\n";
    finds(ci(&Tree::planted(&[(CI, good)])), &[]);
    finds(
        ci(&Tree::planted(&[(CI, "set -e\ncargo test\ntests/run fast\n")])),
        &[(".ci/run:1", "0 times"), (".ci/run:2", "cargo test"), (".ci/run:3", "tests/run fast")],
    );
}
