//! What is wrong in a policy file is told with its place and what would be right. Each
//! `refused/NAME.yaml` has its problems beside it in `NAME.txt`; `BLESS=1` writes them.

use std::path::Path;

use policy::{PolicySet, TenantSet};

#[test]
fn every_mistake_is_told_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies/files/refused");
    let mut names = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect::<Vec<_>>();
    names.sort();
    assert!(names.len() >= 20, "the cases are gone");
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let refused = match name.strip_prefix("tenant-") {
            Some(_) => TenantSet::load(&text, name).err(),
            None => PolicySet::load(&text, name).err(),
        };
        let told = match refused {
            Some(problems) => problems.iter().map(|one| format!("{one}\n")).collect::<String>(),
            None => "(taken)\n".to_owned(),
        };
        assert_ne!(told, "(taken)\n", "{name} has no mistake");
        crate::golden::check(&format!("refused/{name}.txt"), &told);
    }
}
