use crate::home::Home;

#[test]
fn the_demo_shows_what_it_says() {
    let home = Home::new();
    let played = home.run(&["demo", "--json"]).exits(0).json();
    let list = |name: &str| played[name].as_array().unwrap_or_else(|| panic!("{played}")).clone();
    let has = |rows: &[serde_json::Value], key: &str, value: &str| rows.iter().any(|row| row[key] == value);
    assert!(list("packages").iter().all(|row| row["signed_by"].as_str().unwrap().starts_with("mfr-")));
    let calls = list("calls");
    let pair = |from: &str, to: &str| calls.iter().any(|row| row["from_engine"] == from && row["to_engine"] == to);
    let native_fits = cfg!(all(target_arch = "x86_64", target_os = "linux"));
    let engines: &[&str] = if native_fits { &["linked", "wasm", "native"] } else { &["linked", "wasm"] };
    for from in engines {
        assert!(engines.iter().all(|to| pair(from, to)), "{from}: {calls:?}");
    }
    assert!(calls.iter().any(|row| row["from_engine"].is_null()) && calls.iter().any(|row| row["to_engine"].is_null()));
    if native_fits {
        assert!(list("streams").iter().all(|row| row["in_order"] == true) && !list("streams").is_empty());
    }
    assert!(has(&list("refused"), "code", "package-digest") && has(&list("refused"), "code", "package-signature"));
    assert!(
        played["kept"]["entries"].as_u64().unwrap() > 0 && played["kept"]["entries"] == played["kept"]["kept"],
        "{played}"
    );
    let contained = &list("contained")[0];
    assert_eq!((&contained["code"], &contained["recovered"]), (&"guest-cpu-limit".into(), &true.into()));
}

#[test]
fn the_demo_reads_well() {
    let ran = Home::new().run(&["demo"]).exits(0);
    for words in
        ["Signed packages", "EchoWasm", "EchoLinked", "refused", "cut off", "LedgerLinked", "everything worked"]
    {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}
