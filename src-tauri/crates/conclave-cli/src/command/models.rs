//! `conclave models`: what may be asked, how it is, and changes of that. `conclave spending`: what it cost.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{
    ApiModel, CliModel, DiscoveredList, GetSpending, HealthList, HealthState, KnownModelList, LocalModel, MetricsView,
    ModelHealth, ModelList, ModelRemoved, ModelSaved, ModelSettingView, NamedModel, Nothing, OrderModels,
    SamplingModel, SaveModel, SpendingView,
};

use super::call;
use crate::args::{AddModel, Format, Models, Program};
use crate::exit::Exit;
use crate::output::Output;

/// What the model of a connected client is called.
const SAMPLING: &str = "mcp_sampling";

pub(super) async fn run(api: &Api, output: &Output, command: Option<&Models>) -> Result<Exit, ApiError> {
    match command {
        None | Some(Models::List) => {
            let view: ModelList = call(api, "list_models", &Nothing {}).await?;
            output.models(&view);
        }
        Some(Models::Health) => {
            let view: HealthList = call(api, "check_models", &Nothing {}).await?;
            output.models_health(&view);
            return Ok(standing(&view.models));
        }
        Some(Models::Check { name, load }) => {
            let command = if *load { "start_model" } else { "check_model" };
            let view: ModelHealth = call(api, command, &NamedModel { model: name.clone() }).await?;
            output.model_health(&view);
            return Ok(standing(&[view]));
        }
        Some(Models::Discover) => {
            let view: DiscoveredList = call(api, "discover_servers", &Nothing {}).await?;
            output.discovered(&view);
        }
        Some(Models::Add(add)) => {
            let replaces = add.replace.then(|| add.name.clone());
            let request = SaveModel { model: setting(add)?, replaces };
            let view: ModelSaved = call(api, "save_model", &request).await?;
            output.model_saved(&view);
        }
        Some(Models::Remove { name }) => {
            let view: ModelRemoved = call(api, "remove_model", &NamedModel { model: name.clone() }).await?;
            output.model_removed(&view);
        }
        Some(Models::Order { names }) => {
            let view: ModelList = call(api, "order_models", &OrderModels { models: names.clone() }).await?;
            output.models(&view);
        }
        Some(Models::Known) => {
            let view: KnownModelList = call(api, "list_known_models", &Nothing {}).await?;
            output.known_models(&view);
        }
        Some(Models::Metrics) => {
            let view: MetricsView = call(api, "get_metrics", &Nothing {}).await?;
            match output.format() {
                Format::Text => output.raw(&view.prometheus),
                Format::Json | Format::Sarif => output.metrics(&view),
            }
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn spending(api: &Api, output: &Output, finding: Option<&str>) -> Result<Exit, ApiError> {
    let request = GetSpending { finding: finding.map(str::to_owned) };
    let view: SpendingView = call(api, "get_spending", &request).await?;
    output.spending(&view);
    Ok(Exit::Done)
}

/// One that does not answer is an answer to the question, and not a good one.
fn standing(models: &[ModelHealth]) -> Exit {
    match models.iter().any(|model| model.state == HealthState::Down) {
        true => Exit::Usage,
        false => Exit::Done,
    }
}

/// The setting that the arguments mean.
fn setting(add: &AddModel) -> Result<ModelSettingView, ApiError> {
    let wrong = |words: String, hint: &str| ApiError::new(ErrorCode::BadRequest, words).with_hint(hint);
    let AddModel { name, url, cli, file, model, .. } = add;
    let only = |given: &[(&str, bool)], kind: &str| match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(wrong(format!("`{flag}` says nothing of {kind}"), "leave it out")),
        None => Ok(()),
    };
    let of_files = [("--context", add.context.is_some()), ("--threads", add.threads.is_some())];
    let of_apis = [("--dialect", add.dialect.is_some())];
    let of_programs =
        [("--command", add.command.is_some()), ("--arg", !add.args.is_empty()), ("--base-url", add.base_url.is_some())];
    match (url, cli, file) {
        (None, None, None) if name == SAMPLING => {
            only(&[("--model", model.is_some()), ("--key-env", add.key_env.is_some())], "the client\u{2019}s model")?;
            only(&[of_files.as_slice(), &of_apis, &of_programs].concat(), "the client\u{2019}s model")?;
            Ok(ModelSettingView::McpSampling(SamplingModel {
                enabled: true,
                may_send_code: add.may_send_code,
                trial: add.trial,
            }))
        }
        (Some(base_url), None, None) => {
            only(&[of_files.as_slice(), &of_programs].concat(), "a model behind an address")?;
            let Some(model) = model else {
                return Err(wrong(format!("which model is `{name}` at that address?"), "name it with `--model`"));
            };
            Ok(ModelSettingView::Api(ApiModel {
                name: name.clone(),
                base_url: base_url.clone(),
                model: model.clone(),
                key_env: add.key_env.clone(),
                may_send_code: add.may_send_code,
                dialect: add.dialect.map(Into::into),
                headers: Default::default(),
                price: None,
                enabled: true,
                trial: add.trial,
                max_concurrent: add.at_once,
            }))
        }
        (None, Some(program), None) => {
            only(&[of_files.as_slice(), &of_apis].concat(), "a program")?;
            let is_generic = *program == Program::Generic;
            only(&[("--arg", !is_generic && !add.args.is_empty())], "a program whose arguments Conclave knows")?;
            Ok(ModelSettingView::Cli(CliModel {
                name: name.clone(),
                program: (*program).into(),
                command: add.command.clone(),
                args: add.args.clone(),
                model: model.clone(),
                system_prompt: None,
                key_env: add.key_env.clone(),
                base_url: add.base_url.clone(),
                max_retries: 2,
                retry_delay_ms: 1000,
                may_send_code: add.may_send_code,
                enabled: true,
                trial: add.trial,
                max_concurrent: add.at_once,
            }))
        }
        (None, None, Some(file)) => {
            only(&[("--model", model.is_some()), ("--key-env", add.key_env.is_some())], "a model file")?;
            only(&[of_apis.as_slice(), &of_programs].concat(), "a model file")?;
            Ok(ModelSettingView::Local(LocalModel {
                name: name.clone(),
                file: absolute(file)?,
                context_tokens: add.context,
                threads: add.threads,
                enabled: true,
                trial: add.trial,
            }))
        }
        _ => Err(wrong(
            format!("where is `{name}`?"),
            "say so with `--url` and `--model`, with `--cli`, or with `--file`; the model of a connected client is called \
             `mcp_sampling`",
        )),
    }
}

/// The path of a file that is there.
fn absolute(file: &Path) -> Result<String, ApiError> {
    let found = file.canonicalize().ok().filter(|path| path.is_file());
    found.map(|path| path.display().to_string()).ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, format!("`{}` is not a file", file.display()))
            .with_hint("name a model file in GGUF form; Conclave never downloads one")
    })
}
