//! `conclave rate` and `insights`: what people say of fixes, and what was learned.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{
    ExportTraining, GetInsights, InsightsView, LearningReset, RateFix, RatingView, ResetLearning, TrainingExported,
};

use super::{call, name};
use crate::args::{Insights, Rate};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn rate(api: &Api, output: &Output, rate: &Rate) -> Result<Exit, ApiError> {
    let Rate { id, thumb, fix, reason, note } = rate;
    let (finding, fix, reasons, note) = (id.clone(), fix.clone(), reason.clone(), note.clone());
    let view: RatingView = call(api, "rate_fix", &RateFix { finding, fix, thumb: *thumb, reasons, note }).await?;
    output.rated(&view);
    Ok(Exit::Done)
}

pub(super) async fn insights(
    api: &Api,
    output: &Output,
    client: Option<&str>,
    command: Option<&Insights>,
) -> Result<Exit, ApiError> {
    match command {
        None => {
            let request = GetInsights { client: client.map(str::to_owned) };
            let view: InsightsView = call(api, "get_insights", &request).await?;
            output.insights(&view);
        }
        Some(Insights::Reset { client: of, everybody }) => {
            let request = match of.as_deref().or(client) {
                _ if *everybody => ResetLearning::Everybody,
                Some(name) => ResetLearning::Client { name: name.to_owned() },
                None => ResetLearning::Nobody,
            };
            let view: LearningReset = call(api, "reset_learning", &request).await?;
            output.learning_reset(&view);
        }
        Some(Insights::Export { file, paths, client: of }) => {
            let path = name(file)?;
            let client = of.as_deref().or(client).unwrap_or_default().to_owned();
            let view: TrainingExported =
                call(api, "export_training", &ExportTraining { path, client, paths: *paths }).await?;
            output.training_exported(&view);
        }
    }
    Ok(Exit::Done)
}
