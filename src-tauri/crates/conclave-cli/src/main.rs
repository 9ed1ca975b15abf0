//! The `conclave` program: the same core as the window, for terminals, scripts and pipelines.

mod args;
mod command;
mod exit;
mod hook;
mod mcp;
mod output;
mod rpc;
mod terminal;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{DoctorItem, DoctorView};
use conclave_api::{Api, Options};

use crate::args::{Asks, Cli, Command, Format};
use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    // In a sandbox, as the last step before another program.
    if let Some(code) = conclave_api::sandbox_guest::serve() {
        return code.into();
    }
    // In a sandbox, between a model's program and its one host; nothing else of this program is wanted there.
    if std::env::args_os().nth(1).is_some_and(|word| word == conclave_api::relay_guest::SUBCOMMAND) {
        return conclave_api::relay_guest::run().into();
    }
    // A client runs the call when its hook fails, so a hook guards itself before anything else happens.
    let guarding = hook::client_of(std::env::args_os());
    if let Some(client) = guarding {
        hook::refuse_on_panic(client);
    }
    let cli = match (Cli::try_parse(), guarding) {
        (Ok(cli), _) => cli,
        (Err(error), Some(client)) if error.use_stderr() => return hook::refuse_arguments(client, &error),
        (Err(error), _) => error.exit(),
    };
    if let (Some(client), Command::Hook { command }) = (guarding, &cli.command)
        && let Some(options) = hook::answering(command)
    {
        return hook::answer(client, options, &cli.global);
    }
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "conclave", &mut script);
        Output::new(Format::Text).raw(&String::from_utf8_lossy(&script));
        return Exit::Done.into();
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCLAVE_LOG").unwrap_or_else(|_| "error".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let output = Output::new(cli.global.format);
    match run(&cli, &output) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            Exit::from(&error).into()
        }
    }
}

fn run(cli: &Cli, output: &Output) -> Result<Exit, ApiError> {
    let sarif = matches!(cli.command, Command::Findings { .. } | Command::Fix(_));
    if cli.global.format == Format::Sarif && !sarif {
        let error = ApiError::new(ErrorCode::BadRequest, "only `findings` and `fix` can print SARIF");
        return Err(error.with_hint("use `--format json`"));
    }
    let data_dir = match cli.command {
        // Clients are made and erased from outside of their folders.
        Command::Clients { .. } => cli.global.base()?,
        _ => cli.global.folder()?,
    };
    if matches!(cli.command, Command::Advise) {
        return command::advise(&data_dir, cli.global.offline, output);
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        ApiError::new(ErrorCode::Internal, "no threads to work with").with_details(error.to_string())
    })?;
    runtime.block_on(async {
        let api = match Api::open(&Options { data_dir, offline: cli.global.offline }) {
            Ok(api) => api,
            Err(error) if matches!(cli.command, Command::Doctor) => {
                output.doctor(&cannot_open(&error));
                return Ok(Exit::Unknown);
            }
            Err(error) => return Err(error),
        };
        let shown = command::shows_policy(&cli.command).then(|| api.cx().policy.banner()).flatten();
        let notices: Vec<String> = api.notices().into_iter().filter(|notice| Some(notice) != shown.as_ref()).collect();
        output.notices(&notices);
        // These say themselves who is there.
        let own =
            matches!(cli.command, Command::Rpc | Command::Asks { command: None | Some(Asks::List | Asks::Watch) });
        if !own {
            terminal::attend(&api, *output);
        }
        let exit = command::run(&api, cli, output).await;
        api.stop();
        let _ = std::io::stdout().flush();
        exit
    })
}

/// What `doctor` says when Conclave itself cannot be opened.
fn cannot_open(error: &ApiError) -> DoctorView {
    let hint = [&error.hint, &error.details].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
    let item = DoctorItem {
        name: "Conclave".to_owned(),
        ok: false,
        wrong: true,
        found: error.message.clone(),
        hint: Some(hint).filter(|hint| !hint.is_empty()),
    };
    DoctorView { items: vec![item] }
}
