use super::Exceptions;
use crate::tidy::Finding;

fn check(exceptions: &str, findings: &[(&str, usize)]) -> String {
    let findings = findings.iter().map(|(place, size)| Finding {
        rule: "file-lines",
        place: (*place).to_owned(),
        size: *size,
        message: format!("{size} lines"),
    });
    match Exceptions::parse(exceptions) {
        Ok(exceptions) => exceptions.apply(findings.collect()).join("; "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_exception_holds_for_its_place_and_size_only() {
    assert_eq!(check("", &[]), "");
    assert_eq!(check("", &[("a.rs", 600)]), "a.rs: file-lines: 600 lines");
    assert_eq!(check("# all of them\n\nfile-lines a.rs 600 # a table", &[("a.rs", 600)]), "");
    assert_eq!(check("file-lines a.rs 600 # a table", &[("a.rs", 601)]), "a.rs: file-lines: 601 lines");
    assert_eq!(check("other a.rs 600 # a table", &[]), "a.rs: other: keeps the rule now; remove its exception");
}

#[test]
fn the_list_may_only_shrink() {
    let exception = "file-lines a.rs 600 # a table";
    assert_eq!(check(exception, &[("a.rs", 599)]), "a.rs: file-lines: is 599 now; lower its exception from 600");
    assert_eq!(check(exception, &[]), "a.rs: file-lines: keeps the rule now; remove its exception");
}

#[test]
fn an_entry_needs_its_form_and_a_reason() {
    assert_eq!(check("file-lines a.rs 600", &[]), "tidy-exceptions.txt:1: no reason");
    assert_eq!(
        check("\nfile-lines a.rs # why", &[]),
        "tidy-exceptions.txt:2: not of the form `rule place size # reason`"
    );
}
