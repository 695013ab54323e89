use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::{Expect, expect};

use super::{DATABASE, MARK, for_node};
use crate::store::location::Location;

fn check(folder: &Path, root: &Path, expected: Expect) {
    let error = for_node(&Location::Folder(folder.to_owned())).err().unwrap();
    let body = error.document().unwrap().error;
    let shown = format!("{} [{}]: {} / {}", body.kind, body.code, body.message, body.fix);
    expected.assert_eq(&shown.replace(&*root.to_string_lossy(), ""));
}

/// All of these were failures of the disk, with the advice to look at it.
#[test]
fn what_a_user_can_change_is_no_failure_of_the_disk() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir(at("full")).unwrap();
    std::fs::write(at("full/thesis"), "").unwrap();
    check(
        &at("full"),
        root.path(),
        expect![[
            r#"invalid-argument [config]: /full has no store, but "thesis": a store has a folder of its own / Name an empty folder, or one that is yet to be made, with `--store DIR`."#
        ]],
    );
    check(
        &at("full/thesis"),
        root.path(),
        expect![
            "invalid-argument [config]: cannot use the store at /full/thesis: Not a directory (os error 20) / A store is a folder: name one with `--store DIR`."
        ],
    );
    for_node(&Location::Folder(at("open"))).unwrap();
    std::fs::write(at("open/thesis"), "").unwrap();
    std::fs::set_permissions(at("open"), PermissionsExt::from_mode(0o777)).unwrap();
    check(
        &at("open"),
        root.path(),
        expect![
            "permission-denied [config]: others may enter /open (mode 777): run `chmod 700 /open` / `chmod 700 /open` closes it to others."
        ],
    );
    for_node(&Location::Folder(at("lost"))).unwrap();
    assert!(at("lost").join(MARK).exists());
    std::fs::remove_file(at("lost").join(DATABASE)).unwrap();
    check(
        &at("lost"),
        root.path(),
        expect![
            "not-found [not-stored]: the store in /lost has lost its database: playhouse.db is not there / `playhouse restore FILE --store /lost` makes it again of a backup; or name another folder."
        ],
    );
    assert!(!at("lost").join(DATABASE).exists(), "what is refused is left as it is");
}
