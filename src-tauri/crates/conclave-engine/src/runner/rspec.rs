//! RSpec.

use serde::Deserialize;

use super::report::{Ending, Printed, Test, numbered, only, unreadable};
use super::{Place, REPORT, Runner, Step, starts, words};

pub(super) const RSPEC: Runner = Runner {
    name: "RSpec",
    extensions: &["rb", "erb", "rake"],
    markers: &["Gemfile", ".rspec"],
    outermost: false,
    recognise: |folder| {
        let any = folder.under().any(|file| file.ends_with("_spec.rb"));
        let bundled = folder.has("Gemfile.lock");
        any.then(|| if bundled { words(&["bundle", "exec", "rspec"]) } else { words(&["rspec"]) })
    },
    step: |_, words| {
        let at = words.iter().take(3).position(|word| starts(Some(word), "rspec"))?;
        let bundled = at == 0 || (at == 2 && words[0] == "bundle" && words[1] == "exec");
        let ours = ["--format", "json", "--out", REPORT].map(str::to_owned);
        let argv = words.iter().cloned().chain(ours);
        bundled.then(|| Ok(Step::new(argv).reporting(Place::File, read)))
    },
    build: |_, files| {
        let check = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }";
        let ruby = |file: &&String| file.ends_with(".rb") || file.ends_with(".rake");
        let all = files.iter().all(|file| ruby(&file));
        let argv = ["ruby", "-e", check, "--"].map(str::to_owned).into_iter().chain(files.iter().cloned());
        all.then(|| Step::new(argv))
    },
};

#[derive(Deserialize)]
struct Report {
    examples: Vec<Example>,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    errors_outside_of_examples_count: u32,
}

#[derive(Deserialize)]
struct Example {
    full_description: String,
    status: String,
    file_path: String,
}

fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    let report: Report = serde_json::from_slice(only(printed)?).map_err(unreadable)?;
    let test = |example: Example| {
        let ending = match example.status.as_str() {
            "passed" => Ending::Passed,
            "failed" => Ending::Failed,
            _ => Ending::Skipped,
        };
        let file = example.file_path.trim_start_matches("./").to_owned();
        Test { id: format!("{file} > {}", example.full_description), ending, file: Some(file) }
    };
    let mut tests: Vec<Test> = report.examples.into_iter().map(test).collect();
    if report.summary.errors_outside_of_examples_count > 0 {
        tests.push(Test::new("outside of examples", Ending::Failed));
    }
    Ok(numbered(tests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::report::tests::{lines, printed};

    #[test]
    fn an_error_outside_of_examples_is_a_failure() {
        let report = r#"{"version":"3.13.0","examples":[
            {"id":"./spec/cart_spec.rb[1:1]","description":"adds","full_description":"Cart adds","status":"passed","file_path":"./spec/cart_spec.rb","line_number":4},
            {"id":"./spec/cart_spec.rb[1:2]","description":"totals","full_description":"Cart totals","status":"failed","file_path":"./spec/cart_spec.rb","line_number":8},
            {"id":"./spec/cart_spec.rb[1:3]","description":"later","full_description":"Cart later","status":"pending","file_path":"./spec/cart_spec.rb","line_number":12}],
            "summary":{"duration":0.01,"example_count":3,"failure_count":1,"pending_count":1,"errors_outside_of_examples_count":1}}"#;
        let expect = [
            "+ spec/cart_spec.rb > Cart adds in spec/cart_spec.rb",
            "- spec/cart_spec.rb > Cart totals in spec/cart_spec.rb",
            ". spec/cart_spec.rb > Cart later in spec/cart_spec.rb",
            "- outside of examples",
        ];
        assert_eq!(lines(&read(&printed("", &[report])).expect("a report")), expect);
        assert!(read(&printed("3 examples, 0 failures", &[""])).is_err());
    }
}
