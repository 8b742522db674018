//! Cargo's dependency graph, as `cargo metadata` tells it, for the platform that the tests run on.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

use super::tree;

/// One package.
#[derive(Default)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, for ours.
    pub(crate) folder: Option<String>,
    /// Ids of the packages that its programs and libraries (not its tests or build) are made of.
    pub(crate) needs: BTreeSet<String>,
    /// The features that it asks of each package by name; "default" when it takes those.
    pub(crate) asks: BTreeMap<String, BTreeSet<String>>,
}

/// All packages by id.
pub(crate) struct Graph(BTreeMap<String, Package>);

impl Graph {
    /// This workspace, read once.
    pub(crate) fn here() -> &'static Graph {
        static HERE: LazyLock<Graph> = LazyLock::new(|| Graph::of(&metadata()));
        &HERE
    }

    /// A planted graph: name, folder (empty for a foreign package), what it needs.
    pub(crate) fn planted(packages: &[(&str, &str, &[&str])]) -> Graph {
        let package = |(name, folder, needs): &(&str, &str, &[&str])| {
            let folder = Some((*folder).to_owned()).filter(|folder| !folder.is_empty());
            let needs = needs.iter().map(|need| (*need).to_owned()).collect();
            ((*name).to_owned(), Package { name: (*name).to_owned(), folder, needs, asks: BTreeMap::new() })
        };
        Graph(packages.iter().map(package).collect())
    }

    /// In a planted graph: `name` asks for these features of `other`.
    pub(crate) fn asking(mut self, name: &str, other: &str, features: &[&str]) -> Graph {
        let package = self.0.get_mut(name).expect("a planted package");
        package.asks.insert(other.to_owned(), features.iter().map(|feature| (*feature).to_owned()).collect());
        self
    }

    fn of(metadata: &Value) -> Graph {
        let root = metadata["workspace_root"].as_str().expect("a workspace");
        let ours: BTreeSet<_> = list(&metadata["workspace_members"]).iter().map(text).collect();
        let mut packages: BTreeMap<_, _> = list(&metadata["packages"])
            .iter()
            .map(|package| {
                let manifest = text(&package["manifest_path"]);
                let folder = manifest.strip_prefix(root).and_then(|path| path.strip_suffix("/Cargo.toml"));
                let folder = folder.filter(|_| ours.contains(&text(&package["id"]))).map(|path| path[1..].to_owned());
                let asks = asks(list(&package["dependencies"]));
                (text(&package["id"]), Package { name: text(&package["name"]), folder, needs: BTreeSet::new(), asks })
            })
            .collect();
        for node in list(&metadata["resolve"]["nodes"]) {
            let normal = |need: &&Value| list(&need["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let needs = list(&node["deps"]).iter().filter(normal).map(|need| text(&need["pkg"])).collect();
            packages.get_mut(&text(&node["id"])).expect("a package").needs = needs;
        }
        Graph(packages)
    }

    /// Our packages with their folders.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&Package, &str)> {
        self.0.values().filter_map(|package| package.folder.as_deref().map(|folder| (package, folder)))
    }

    /// Our package in this folder.
    pub(crate) fn at(&self, folder: &str) -> Option<&Package> {
        self.ours().find(|(_, at)| *at == folder).map(|(package, _)| package)
    }

    /// What `package` needs itself.
    pub(crate) fn needs<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Package> {
        package.needs.iter().filter_map(|id| self.0.get(id))
    }

    /// Everything that `package` is made of, each with the shortest way to it, `package` first.
    pub(crate) fn closure<'a>(&'a self, package: &'a Package) -> Vec<Vec<&'a Package>> {
        let (mut ways, mut seen) = (Vec::new(), BTreeSet::new());
        let mut queue = VecDeque::from([vec![package]]);
        while let Some(way) = queue.pop_front() {
            for id in way.last().map(|last| &last.needs).into_iter().flatten() {
                if let Some(next) = self.0.get(id).filter(|_| seen.insert(id)) {
                    let way: Vec<_> = way.iter().copied().chain([next]).collect();
                    ways.push(way.clone());
                    queue.push_back(way);
                }
            }
        }
        ways
    }
}

/// A way through the graph, as people read it.
pub(crate) fn way(packages: &[&Package]) -> String {
    packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(" -> ")
}

fn asks(dependencies: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut asks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for dependency in dependencies.iter().filter(|dependency| dependency["kind"].is_null()) {
        let features = asks.entry(text(&dependency["name"])).or_default();
        features.extend(list(&dependency["features"]).iter().map(text));
        if dependency["uses_default_features"] == true {
            features.insert("default".to_owned());
        }
    }
    asks
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| {
        let out = Command::new(&cargo).current_dir(tree::root()).args(arguments).output().expect("cargo runs");
        (
            out.status.success(),
            String::from_utf8_lossy(&out.stdout).into_owned(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    };
    let (_, version, _) = run(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo's host").to_owned();
    let ask = ["metadata", "--format-version", "1", "--locked", "--filter-platform", &host];
    // Only what was built is surely downloaded; the rest of the graph may need one look at the registry.
    let (ok, out, _) = run(&[&ask[..], &["--offline"]].concat());
    if ok {
        return serde_json::from_str(&out).expect("cargo metadata is JSON");
    }
    let (ok, out, error) = run(&ask);
    assert!(ok, "cargo metadata: {error}");
    serde_json::from_str(&out).expect("cargo metadata is JSON")
}

#[test]
fn the_graph_is_read() {
    let graph = Graph::here();
    assert!(graph.ours().count() >= 20);
    let audit = graph.at("audit/service").expect("the audit service");
    let reached: BTreeSet<_> =
        graph.closure(audit).iter().filter_map(|way| way.last().map(|last| &last.name)).collect();
    for name in ["sqlx", "sqlx-core", "tokio", "bodh-audit-log", "bodh-policy"] {
        assert!(reached.contains(&name.to_owned()), "{name} is not in the audit service's closure");
    }
    // A dependency for tests alone is not one.
    assert!(!graph.needs(audit).any(|package| package.name == "tempfile"));
}
