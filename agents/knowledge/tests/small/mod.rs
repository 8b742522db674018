//! A small ontology and four diseases, written for the tests.

pub(crate) const OBO: &str = "data-version: hp/releases/test

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000118
name: Phenotypic abnormality
is_a: HP:0000001 ! All

[Term]
id: HP:0000010
name: Eye finding
is_a: HP:0000118

[Term]
id: HP:0000011
name: Lens dislocation
synonym: \"Ectopia of the lens\" EXACT []
alt_id: HP:0000911
is_a: HP:0000010

[Term]
id: HP:0000020
name: Heart finding
is_a: HP:0000118

[Term]
id: HP:0000021
name: Aortic dilatation
is_a: HP:0000020

[Term]
id: HP:0000912
name: obsolete Wide aorta
is_obsolete: true
replaced_by: HP:0000021

[Term]
id: HP:0000913
name: obsolete Nothing
is_obsolete: true
";

pub(crate) const HEADER: &str = "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration";

pub(crate) fn hpoa(rows: &[&str]) -> String {
    let rows: Vec<String> = rows.iter().map(|r| r.replace('|', "\t")).collect();
    format!("#version: test\n{HEADER}\n{}\n", rows.join("\n"))
}

pub(crate) const ROWS: [&str; 7] = [
    "OMIM:1|Alpha syndrome||HP:0000011|PMID:1|PCS||9/10|||P|x",
    "OMIM:1|Alpha syndrome||HP:0000021|PMID:2|PCS||1/10|||P|x",
    "OMIM:2|Beta disease||HP:0000021|PMID:2;PMID:3|TAS||HP:0040281|MALE||P|x",
    "OMIM:2|Beta disease|NOT|HP:0000011|OMIM:2|IEA||||||x",
    "OMIM:3|Lens dislocation 7||HP:0000010|OMIM:3|IEA||40%|||P|x",
    "ORPHA:9|Alpha Syndrome||HP:0000021|ORPHA:9|TAS||HP:0040282|||P|x",
    "OMIM:4|Gamma disease||HP:0000020|OMIM:4|IEA|||||P|x",
];

pub(crate) const GENES: &str =
    "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n1\tGENA\tHP:0000011\tLens\t-\tOMIM:1\n";
