use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt, symlink};

use expect_test::{Expect, expect};

use super::{Paths, private_dir};

fn check(vars: &[(&str, &str)], expected: Expect) {
    let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let text = match Paths::resolve(var) {
        Ok(paths) => [paths.config, paths.cache, paths.runtime, paths.state].map(|p| p.display().to_string()).join(" "),
        Err(error) => serde_json::to_string(&error.document().unwrap()).unwrap(),
    };
    expected.assert_eq(&text);
}

#[test]
fn directories_follow_xdg() {
    check(
        &[("HOME", "/h")],
        expect!["/h/.config/playhouse /h/.cache/playhouse /h/.local/state/playhouse/run /h/.local/state/playhouse"],
    );
    check(
        &[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/1"), ("XDG_CONFIG_HOME", "/c"), ("XDG_CACHE_HOME", "rel")],
        expect!["/c/playhouse /h/.cache/playhouse /run/user/1/playhouse /h/.local/state/playhouse"],
    );
    check(
        &[("HOME", "rel")],
        expect![[
            r#"{"error":{"code":"config","kind":"not-found","message":"neither XDG_STATE_HOME nor HOME is an absolute path","fix":"Set HOME, or XDG_STATE_HOME, to an absolute path."}}"#
        ]],
    );
}

#[test]
fn a_directory_that_is_not_ours_alone_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    private_dir(&at("a/b")).unwrap();
    private_dir(&at("a/b")).unwrap();

    std::fs::set_permissions(at("a/b"), PermissionsExt::from_mode(0o755)).unwrap();
    let open = private_dir(&at("a/b")).unwrap_err().to_string();
    assert!(open.ends_with("a/b has mode 0755, expected 0700"), "{open}");

    symlink(at("a"), at("link")).unwrap();
    let link = private_dir(&at("link")).unwrap_err().to_string();
    assert!(link.ends_with("link is not a directory of its own"), "{link}");

    std::fs::write(at("file"), "").unwrap();
    let file = private_dir(&at("file")).unwrap_err().to_string();
    assert!(file.contains("cannot use the directory"), "{file}");
}
