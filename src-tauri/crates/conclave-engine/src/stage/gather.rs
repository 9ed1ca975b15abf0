//! Reads the code around a finding, and what belongs to it from elsewhere.

use std::ops::Range;

use conclave_core::brief::{Brief, BriefFile};
use conclave_core::finding::{Finding, Region, line_range, relocate};
use conclave_core::language::Language;
use conclave_core::settings::Settings;

use super::parts::parts;
use crate::source::{Source, Sources};

/// Lines around the place where no enclosing function is known.
const AROUND: u32 = 12;
/// The longest excerpt, in lines.
const MAX_LINES: u32 = 160;
/// The longest excerpt, in bytes: lines have no limit, and what is sent to a model has one.
const MAX_BYTES: usize = 24 * 1024;

/// The brief for `finding`. A file that cannot be used leaves a brief that says why.
pub(crate) fn gather(finding: &Finding, sources: &Sources, settings: &Settings) -> Brief {
    let mut finding = finding.clone();
    let reported = finding.detection.location.as_ref().and_then(|location| location.region);
    let (file, unusable) = match usable(&mut finding, sources) {
        Ok(file) => (Some(file), None),
        Err(reason) => (None, Some(reason)),
    };
    let source = file.as_ref().and_then(|file| sources.file(&file.path).ok());
    let text = source.as_deref().and_then(Source::text);
    let parts = file.as_ref().zip(text).map(|(file, text)| parts(&finding.detection, file, text, sources));
    let guidance = settings.guidance.get(&sources.root().to_string_lossy().into_owned()).cloned();
    Brief { finding, reported, file, unusable, parts: parts.unwrap_or_default(), guidance }
}

fn usable(finding: &mut Finding, sources: &Sources) -> Result<BriefFile, String> {
    let unresolved = finding.detection.unresolved.clone();
    let Some(location) = &mut finding.detection.location else {
        return Err(unresolved.unwrap_or_else(|| "the scanner names no file in this project".to_owned()));
    };
    let source = sources.file(&location.path)?;
    let text = source.text().ok_or_else(|| format!("`{}` is not UTF-8 text", location.path))?;
    let Some(region) = location.region else {
        return Err(format!("the scanner names `{}` but no line", location.path));
    };
    let moved = relocate(text, &region, &finding.context)
        .ok_or_else(|| format!("the reported lines are no longer in `{}`: scan again", location.path))?;
    location.region = Some(moved);
    let language = Language::of_path(&location.path);
    let (first_line, excerpt) = excerpt(language, text, &moved);
    let around = language.and_then(|language| conclave_fixers::enclosing(language, text, moved.start_line));
    let is_whole = |(first, last, _): &(u32, u32, String)| {
        *first == first_line && excerpt.lines().count() == (last - first + 1) as usize
    };
    let function = around.filter(is_whole).map(|(.., name)| name);
    let (path, digest) = (location.path.clone(), source.digest.clone());
    Ok(BriefFile { path, digest, language, function, first_line, excerpt })
}

/// The enclosing function of `region`, or the lines around it.
fn excerpt(language: Option<Language>, text: &str, region: &Region) -> (u32, String) {
    let (first, range) = unit(language, text, region);
    (first, text[range].to_owned())
}

/// The first line and the bytes of the enclosing function of `region`, or of the lines around it.
pub(crate) fn unit(language: Option<Language>, text: &str, region: &Region) -> (u32, Range<usize>) {
    let around = (region.start_line.saturating_sub(AROUND).max(1), region.end_line.saturating_add(AROUND));
    let (first, last) = language
        .and_then(|language| conclave_fixers::enclosing(language, text, region.start_line))
        .map(|(first, last, _)| (first, last))
        .filter(|(first, last)| last - first < MAX_LINES)
        .unwrap_or(around);
    let start = line_range(text, first).map_or(text.len(), |line| line.start);
    let end = line_range(text, last.min(first.saturating_add(MAX_LINES))).map_or(text.len(), |line| line.end);
    let place = region.byte_range(text).map_or(start, |range| range.start);
    let range = capped(text, start..end.max(start), place);
    let above = text[start..range.start].matches('\n').count();
    (first.saturating_add(u32::try_from(above).unwrap_or(u32::MAX)), range)
}

/// The part of `range` around `place` that is no longer than [`MAX_BYTES`], from the start of a line where there is one.
fn capped(text: &str, range: Range<usize>, place: usize) -> Range<usize> {
    if range.len() <= MAX_BYTES {
        return range;
    }
    let place = place.clamp(range.start, range.end);
    let start = text.ceil_char_boundary(place.saturating_sub(MAX_BYTES / 4).max(range.start));
    let start = match text[start..place.max(start)].find('\n') {
        Some(at) if start > range.start => start + at + 1,
        _ => start,
    };
    start..text.floor_char_boundary(range.end.min(start + MAX_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_capped_in_bytes_and_holds_the_place() {
        let wide = "é".repeat(40_000);
        let short = "a = 1\n".repeat(30);
        for (text, line, column, first_line) in [
            (format!("{short}f(é)\n{short}"), 31, 1, 19),
            (format!("x = '{wide}'; f(é)\n"), 1, 40_009, 1),
            (format!("{short}x = '{wide}'\nf(é)\n"), 32, 1, 32),
            (format!("f(é)\nx = '{wide}'\n"), 1, 1, 1),
        ] {
            let region = Region { start_column: Some(column), ..Region::line(line) };
            let (first, excerpt) = excerpt(None, &text, &region);
            assert_eq!(first, first_line, "{line} {column}");
            assert!(excerpt.len() <= MAX_BYTES && excerpt.contains("f(é)"), "{} bytes", excerpt.len());
            assert!(text.contains(&excerpt));
        }
    }
}
