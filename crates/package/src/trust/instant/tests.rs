use super::{datetime, unix_seconds};

#[test]
fn dates_and_seconds() {
    let cases = [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T12:34:56Z", 951_827_696),
        ("2026-01-01T00:00:00Z", 1_767_225_600),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ];
    for (text, seconds) in cases {
        assert_eq!(unix_seconds(&text.parse().expect("date")), Some(seconds), "{text}");
        assert_eq!(datetime(seconds).map(|date| date.to_string()).as_deref(), Some(text));
    }
    assert_eq!(unix_seconds(&"2026-01-01T02:00:00+02:00".parse().expect("date")), Some(1_767_225_600));
    for text in ["2026-01-01", "2026-01-01T00:00:00", "00:00:00", "1969-12-31T00:00:00Z"] {
        assert_eq!(unix_seconds(&text.parse().expect("date")), None, "{text}");
    }
    assert_eq!(datetime(253_402_300_800), None);
    assert_eq!(datetime(u64::MAX), None);
}

#[test]
fn every_day_of_four_centuries() {
    for day in 0..146_097 {
        let date = datetime(day * 86_400).expect("in range");
        assert_eq!(unix_seconds(&date), Some(day * 86_400), "{date}");
    }
}
