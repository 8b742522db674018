//! The repository's files: those that git tracks, those in its folders that it does not track yet, or all of them
//! where there is no git.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, OnceLock},
};

use super::source::Source;

/// What the top level holds, beside dotfiles.
pub(crate) const TOP: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "agents",
    "orchestrator",
    "guardian",
    "audit",
    "deploy",
    "tests",
];

/// One file.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Its text; empty for a binary file.
    pub(crate) text: String,
    source: OnceLock<Source>,
}

impl File {
    fn new(path: String, bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        let text = if bytes.contains(&0) { String::new() } else { String::from_utf8(bytes).unwrap_or_default() };
        Self { path, length, text, source: OnceLock::new() }
    }

    /// As Rust source: code apart from comments and literals.
    pub(crate) fn source(&self) -> &Source {
        self.source.get_or_init(|| Source::new(&self.text))
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder it is in; empty at the top.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// All files, sorted by path.
pub(crate) struct Tree {
    files: Vec<File>,
    /// Modules that are compiled for tests alone.
    tests: BTreeSet<String>,
}

impl Tree {
    /// This repository, read once.
    pub(crate) fn here() -> &'static Tree {
        static HERE: LazyLock<Tree> = LazyLock::new(|| {
            let root = root();
            let paths = tracked(&root).unwrap_or_else(|| walked(&root));
            let read = |path: String| std::fs::read(root.join(&path)).ok().map(|bytes| File::new(path, bytes));
            Tree::of(paths.into_iter().filter_map(read).collect())
        });
        &HERE
    }

    /// A planted tree.
    pub(crate) fn planted(files: &[(&str, &str)]) -> Tree {
        Tree::of(files.iter().map(|(path, text)| File::new((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }

    fn of(mut files: Vec<File>) -> Tree {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let sources = files.iter().filter(|file| file.path.ends_with(".rs"));
        let tests = sources.flat_map(|file| file.source().test_modules(&file.text, &file.path)).collect();
        Tree { files, tests }
    }

    /// Every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The file with this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or a folder with this path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        self.files
            .iter()
            .any(|file| file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Rust files that are not for tests alone.
    pub(crate) fn production(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|file| !self.is_test(file))
    }

    /// Whether a file is compiled for tests alone: by its folder, or declared under `#[cfg(test)]`.
    fn is_test(&self, file: &File) -> bool {
        let in_src = file.path.contains("/src/");
        let by_folder = file.path.starts_with("tests/") || (!in_src && file.path.contains("/tests/"));
        by_folder || self.tests.contains(&file.path)
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the repository's root")
}

/// What git tracks, and what it could in the repository's own folders; nothing without git or before the first `add`.
fn tracked(root: &Path) -> Option<BTreeSet<String>> {
    let list = |arguments: &[&str]| -> Option<BTreeSet<String>> {
        let out = Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).args(arguments).output().ok()?;
        let names = String::from_utf8(out.stdout).ok().filter(|_| out.status.success())?;
        Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    };
    let mut files = list(&["--cached"]).filter(|files| files.contains("Cargo.toml"))?;
    let ours = |path: &String| TOP.contains(&path.split('/').next().unwrap_or_default());
    files.extend(list(&["--others", "--exclude-standard"])?.into_iter().filter(ours));
    Some(files)
}

/// Every file but git's and what a build leaves.
fn walked(root: &Path) -> BTreeSet<String> {
    let (mut files, mut folders) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a file type"));
            let built = entry.file_name() == "target" || path.join("CACHEDIR.TAG").exists();
            if kind.is_dir() && entry.file_name() != ".git" && !built {
                folders.push(path);
            } else if kind.is_file() && entry.file_name() != ".git" {
                let path = path.strip_prefix(root).expect("within the root");
                files.insert(path.to_str().expect("a UTF-8 path").to_owned());
            }
        }
    }
    files
}

#[test]
fn the_repository_is_read() {
    let tree = Tree::here();
    for path in ["Cargo.toml", "tests/tests/house.rs", "guardian/gate/src/permit.rs", "agents/api/proto/agent.proto"] {
        assert!(tree.file(path).is_some_and(|file| !file.text.is_empty()), "{path} was not read");
    }
    assert!(tree.production().count() > 100 && !tree.production().any(|file| file.path.starts_with("tests/")));
    assert!(tree.holds("guardian/gate") && !tree.holds("guardian/gat"));
}

#[test]
fn a_module_for_tests_alone_is_known() {
    let tree = Tree::planted(&[
        ("a/src/lib.rs", "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"odd_tests.rs\"]\nmod odd;\nmod real;\n"),
        ("a/src/tests.rs", ""),
        ("a/src/odd_tests.rs", ""),
        ("a/src/real.rs", "#[cfg(test)]\nmod tests;\n"),
        ("a/src/real/tests.rs", ""),
        ("a/src/sub/tests.rs", ""),
        ("a/tests/outer.rs", ""),
    ]);
    let production: Vec<_> = tree.production().map(|file| file.path.as_str()).collect();
    assert_eq!(production, ["a/src/lib.rs", "a/src/real.rs", "a/src/sub/tests.rs"]);
}
