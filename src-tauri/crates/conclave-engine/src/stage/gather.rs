//! Reads the code around a finding.

use conclave_core::brief::{Brief, BriefFile};
use conclave_core::finding::{Finding, Region, line_range, relocate};
use conclave_core::language::Language;

use crate::source::Sources;

/// Lines around the place where no enclosing function is known.
const AROUND: u32 = 12;
/// The longest excerpt, in lines.
const MAX_LINES: u32 = 160;

/// The brief for `finding`. A file that cannot be used leaves a brief that says why.
pub(crate) fn gather(finding: &Finding, sources: &Sources) -> Brief {
    let mut finding = finding.clone();
    let reported = finding.detection.location.as_ref().and_then(|location| location.region);
    let (file, unusable) = match usable(&mut finding, sources) {
        Ok(file) => (Some(file), None),
        Err(reason) => (None, Some(reason)),
    };
    Brief { finding, reported, file, unusable }
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
    Ok(BriefFile { path: location.path.clone(), digest: source.digest.clone(), language, first_line, excerpt })
}

/// The enclosing function of `region`, or the lines around it.
fn excerpt(language: Option<Language>, text: &str, region: &Region) -> (u32, String) {
    let around = (region.start_line.saturating_sub(AROUND).max(1), region.end_line.saturating_add(AROUND));
    let (first, last) = language
        .and_then(|language| conclave_fixers::enclosing(language, text, region.start_line))
        .map(|(first, last, _)| (first, last))
        .filter(|(first, last)| last - first < MAX_LINES)
        .unwrap_or(around);
    let start = line_range(text, first).map_or(text.len(), |line| line.start);
    let end = line_range(text, last.min(first.saturating_add(MAX_LINES))).map_or(text.len(), |line| line.end);
    (first, text[start..end.max(start)].to_owned())
}
