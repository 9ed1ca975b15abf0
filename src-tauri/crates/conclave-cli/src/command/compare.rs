//! `conclave compare`.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{
    ChooseFix, CompareFixes, ComparisonList, ComparisonPlan, ComparisonReport, FixComparisonView, GetNextPair,
    ListComparisons, NamedComparison, NamedConfiguration, NextPair, PairRevealed,
};

use super::{call, text};
use crate::args::{Compare, NewComparison};
use crate::exit::Exit;
use crate::output::Output;
use crate::output::progress::Progress;

pub(super) async fn run(api: &Api, output: &Output, client: Option<&str>, command: &Compare) -> Result<Exit, ApiError> {
    let client = client.map(str::to_owned);
    let named = |id: &i64| NamedComparison { comparison: *id, client: client.clone() };
    match command {
        Compare::New(new) => begin(api, output, new).await?,
        Compare::Resume { id } => go_on(api, output, &named(id)).await?,
        Compare::Next { id } => {
            let view: NextPair = call(api, "get_next_pair", &GetNextPair { comparison: *id, client }).await?;
            output.next_pair(&view);
        }
        Compare::Choose { pair, preference } => {
            let request = ChooseFix { pair: *pair, preference: *preference, client };
            let view: PairRevealed = call(api, "choose_fix", &request).await?;
            output.pair_revealed(&view);
        }
        Compare::Report { id } => {
            let view: ComparisonReport = call(api, "get_comparison", &named(id)).await?;
            output.comparison_report(&view);
        }
        Compare::List => {
            let view: ComparisonList = call(api, "list_comparisons", &ListComparisons { client }).await?;
            output.comparisons(&view);
        }
    }
    Ok(Exit::Done)
}

async fn begin(api: &Api, output: &Output, new: &NewComparison) -> Result<(), ApiError> {
    let request = CompareFixes {
        a: configuration(api, &new.a).await?,
        b: configuration(api, &new.b).await?,
        findings: new.ids.clone(),
        project: new.project.as_ref().map(|root| api.project_at(root)).transpose()?.map(|id| id.to_string()),
        severity: new.severity,
        most: new.most,
        seed: new.seed,
    };
    if !new.yes {
        let view: ComparisonPlan = call(api, "plan_comparison", &request).await?;
        output.comparison_plan(&view);
        return Ok(());
    }
    let begun: FixComparisonView = call(api, "start_comparison", &request).await?;
    go_on(api, output, &NamedComparison { comparison: begun.id, client: begun.client }).await
}

async fn go_on(api: &Api, output: &Output, named: &NamedComparison) -> Result<(), ApiError> {
    let progress = Progress::follow(api, output.format());
    let ran: Result<FixComparisonView, ApiError> = call(api, "run_comparison", named).await;
    progress.stop();
    let resume = format!("`conclave compare resume {}` goes on", named.comparison);
    output.comparison(&ran.map_err(|error| if error.hint.is_some() { error } else { error.with_hint(resume) })?);
    Ok(())
}

/// A design by its name, or what stands in a file.
async fn configuration(api: &Api, word: &str) -> Result<NamedConfiguration, ApiError> {
    let is_file = word.contains(['.', '/', '\\']);
    let name =
        || Path::new(word).file_name().map_or_else(|| word.to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(match is_file {
        true => NamedConfiguration {
            name: name(),
            text: Some(text(api, Path::new(word), "name a JSON file with `design`, `models` and `tiers`").await?),
        },
        false => NamedConfiguration { name: word.to_owned(), text: None },
    })
}
