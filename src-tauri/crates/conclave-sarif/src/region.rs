//! Ranges as logs write them, checked against what a file can have.
//!
//! No file is at hand here: a range that is given by offsets only has no line, and is left out.

use conclave_core::finding::{ColumnKind, Region};

use crate::lenient::Number;
use crate::wire;

/// Lines and columns over this are no lines and columns.
const MAX: f64 = 100_000_000.0;

/// The range, and what had to be left out of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// `None` for the whole file.
    pub(crate) region: Option<Region>,
    /// What is wrong with the range as written.
    pub(crate) fault: Option<&'static str>,
}

/// Reads `region`, whose columns count `column_kind`.
///
/// The rules, first that applies: no line and an offset, or a line that is no line, leave the whole file; line 0 is how
/// some tools write "the whole file". An end before the start leaves the first line from its first column; a column
/// that is no column leaves the line; column 0 is how some tools write "no column".
pub(crate) fn read(region: &wire::Region, column_kind: ColumnKind) -> Read {
    let whole = |fault| Read { region: None, fault };
    let start_line = match place(&region.start_line) {
        Position::At(line) => line,
        Position::Invalid => return whole(Some("the first line of its range is no line")),
        Position::Zero => return whole(None),
        Position::Absent => {
            let offset = region.char_offset.get().or(region.byte_offset.get()).is_some_and(|offset| offset >= 0.0);
            return whole(offset.then_some("its range is given by offsets only, so that its line is not known"));
        }
    };
    let mut fault = None;
    let mut note = |text| {
        fault.get_or_insert(text);
    };
    let mut column = |number: &Number, text| match place(number) {
        Position::At(column) => Some(column),
        Position::Zero | Position::Absent => None,
        Position::Invalid => {
            note(text);
            None
        }
    };
    let start_column = column(&region.start_column, "the first column of its range is no column");
    let mut end_column = column(&region.end_column, "the last column of its range is no column");
    let end_line = match place(&region.end_line) {
        Position::At(line) if line >= start_line => line,
        Position::Zero | Position::Absent => start_line,
        Position::At(_) | Position::Invalid => {
            fault.get_or_insert("its range ends before it starts");
            end_column = None;
            start_line
        }
    };
    if end_line == start_line && end_column.is_some_and(|end| end < start_column.unwrap_or(1)) {
        fault.get_or_insert("its range ends before it starts");
        end_column = None;
    }
    Read { region: Some(Region { start_line, start_column, end_line, end_column, column_kind }), fault }
}

enum Position {
    Absent,
    Zero,
    At(u32),
    Invalid,
}

fn place(number: &Number) -> Position {
    match number {
        Number::Absent => Position::Absent,
        Number::Is(0.0) => Position::Zero,
        Number::Is(n) if n.fract() == 0.0 && (1.0..=MAX).contains(n) => Position::At(*n as u32),
        Number::Is(_) | Number::Word(_) => Position::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: Option<(u32, Option<u32>, u32, Option<u32>)>, complains: bool) {
        let wire: wire::Region = serde_json::from_str(json).expect(json);
        let Read { region, fault } = read(&wire, ColumnKind::Unicode);
        let seen = region.map(|r| (r.start_line, r.start_column, r.end_line, r.end_column));
        assert_eq!(seen, expect, "{json}");
        assert_eq!(fault.is_some(), complains, "{json}: {fault:?}");
        assert!(region.is_none_or(|r| r.column_kind == ColumnKind::Unicode));
    }

    #[test]
    fn ranges_that_no_file_can_have_are_cut_back_and_said() {
        check(r#"{"startLine":3}"#, Some((3, None, 3, None)), false);
        check(r#"{"startLine":"3","startColumn":5.0}"#, Some((3, Some(5), 3, None)), false);
        check(r#"{"startLine":3,"startColumn":5,"endLine":4,"endColumn":2}"#, Some((3, Some(5), 4, Some(2))), false);
        check(r#"{"startLine":3,"startColumn":5,"endColumn":5}"#, Some((3, Some(5), 3, Some(5))), false);
        check(r#"{"startLine":3,"startColumn":0,"endLine":0,"endColumn":0}"#, Some((3, None, 3, None)), false);
        check(r#"{"startLine":3,"startColumn":5,"endColumn":4}"#, Some((3, Some(5), 3, None)), true);
        check(r#"{"startLine":3,"startColumn":5,"endLine":2,"endColumn":9}"#, Some((3, Some(5), 3, None)), true);
        check(r#"{"startLine":3,"startColumn":-5,"endColumn":9}"#, Some((3, None, 3, Some(9))), true);
        check(r#"{"startLine":3,"endLine":9223372036854775807}"#, Some((3, None, 3, None)), true);
        check(r#"{"startLine":0}"#, None, false);
        check(r"{}", None, false);
        check(r#"{"startLine":null,"charOffset":-1}"#, None, false);
        check(r#"{"startLine":-3}"#, None, true);
        check(r#"{"startLine":1.5}"#, None, true);
        check(r#"{"startLine":1e300}"#, None, true);
        check(r#"{"startLine":18446744073709551615}"#, None, true);
        check(r#"{"startLine":"first"}"#, None, true);
        check(r#"{"charOffset":12,"charLength":3}"#, None, true);
        check(r#"{"byteOffset":9223372036854775808}"#, None, true);
    }
}
