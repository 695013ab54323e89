use super::measure;

fn check(text: &str) -> String {
    let measured = measure(text).expect("Rust");
    let functions: Vec<_> =
        measured.functions.iter().map(|f| format!("{}:{}:{}", f.name, f.lines, f.parameters)).collect();
    let structs: Vec<_> = measured.structs.iter().map(|s| format!("{}:{}", s.name, s.fields)).collect();
    format!(
        "{} lines; fn {}; struct {}; {} logs; unsafe {:?}",
        measured.lines,
        functions.join(" "),
        structs.join(" "),
        measured.logs,
        measured.unsafe_lines
    )
}

#[test]
fn documentation_counts_for_the_file_but_not_for_the_function() {
    let text = "/// Adds.\n///\n/// Really.\nfn add(a: u8, b: u8) -> u8 {\n    a + b\n}\n";
    assert_eq!(check(text), "6 lines; fn add:3:2; struct ; 0 logs; unsafe []");
}

#[test]
fn self_is_no_parameter_and_scopes_are_named() {
    let text = "struct A { x: u8, y: u8 }\nimpl A {\n    fn f(&self, x: u8) {}\n}\ntrait T {\n    fn g(&self);\n}\n";
    assert_eq!(check(text), "7 lines; fn A::f:1:1 T::g:1:0; struct A:2; 0 logs; unsafe []");
}

#[test]
fn test_code_is_left_out() {
    let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n    #[test]\n    fn h() {}\n}\n";
    assert_eq!(check(text), "1 lines; fn f:1:0; struct ; 0 logs; unsafe []");
}

#[test]
fn words_count_in_code_and_macros_only() {
    let text = "// unsafe info!()\nfn f() {\n    g!(unsafe { tracing::info!(\"unsafe\") });\n    let info = 1;\n}\n";
    assert_eq!(check(text), "5 lines; fn f:4:0; struct ; 1 logs; unsafe [3]");
}
