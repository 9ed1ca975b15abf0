//! From the first line to a loaded model; from then on it is the [`Session`]'s.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::mpsc::Receiver;

use conclave_core::local::{FailKind, Loaded, Reply, Request};
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::sampling::LlamaSampler;
use llguidance::ParserFactory;

use crate::lines::{Gone, Misunderstood, Replies};
use crate::model::{self, Refused, digest, inspect};
use crate::prefix::Prefixes;
use crate::session::{BATCH, SEQUENCES, Session};
use crate::threads;

/// Requests as they come in.
pub type Incoming = Receiver<Result<Request, Misunderstood>>;

/// A wish for a model.
struct Wish {
    model: String,
    context: Option<u32>,
    threads: Option<u32>,
    cache: Option<String>,
}

/// Answers requests until there are no more.
pub fn serve<W: Write>(incoming: &Incoming, replies: &mut Replies<W>) -> Result<(), Gone> {
    let backend = match LlamaBackend::init() {
        Ok(backend) => backend,
        Err(error) => return replies.fail(None, FailKind::Broken, error.to_string()).and(Err(Gone)),
    };
    while let Ok(request) = incoming.recv() {
        match request {
            Ok(Request::Load { model, context, threads, cache }) => {
                let wish = Wish { model, context, threads, cache };
                match run(&backend, &wish, incoming, replies) {
                    Ok(ended) => return ended,
                    Err((kind, why)) => replies.fail(None, kind, why)?,
                }
            }
            other => answer_unloaded(&backend, other, replies)?,
        }
    }
    Ok(())
}

/// Answers what can be answered without a model.
pub fn answer_unloaded<W: Write>(
    backend: &LlamaBackend,
    request: Result<Request, Misunderstood>,
    replies: &mut Replies<W>,
) -> Result<(), Gone> {
    match request {
        Err(Misunderstood { id, why }) => replies.fail(id, FailKind::BadRequest, why),
        Ok(Request::Inspect { model, context }) => match inspect(backend, &model, context) {
            Ok(file) => replies.say(&Reply::Inspected(file)),
            Err((kind, why)) => replies.fail(None, kind, why),
        },
        Ok(Request::Ask(ask)) => replies.fail(Some(ask.id), FailKind::BadRequest, "no model is loaded"),
        Ok(Request::Load { .. }) => replies.fail(None, FailKind::BadRequest, "a model is loaded already"),
        // Nothing is under way that could be given up.
        Ok(Request::Cancel { .. }) => Ok(()),
    }
}

/// Loads a model and stays with it to the end.
fn run<W: Write>(
    backend: &LlamaBackend,
    wish: &Wish,
    incoming: &Incoming,
    replies: &mut Replies<W>,
) -> Result<Result<(), Gone>, Refused> {
    let path = Path::new(&wish.model);
    // A file is read once from the disk, for both.
    let (loaded, sha256) = std::thread::scope(|scope| {
        let hashing = scope.spawn(|| digest(path));
        (model::load(backend, &wish.model, wish.context), hashing.join())
    });
    let (model, file) = loaded?;
    let sha256 = sha256.ok().and_then(Result::ok);
    let sha256 = sha256.ok_or_else(|| (FailKind::NoFile, format!("`{}` cannot be read", wish.model)))?;
    let threads = threads::choose(wish.threads);
    let broken = |why: String| (FailKind::Broken, why);
    let count = threads.try_into().unwrap_or(1);
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(file.context))
        .with_n_batch(BATCH)
        .with_n_ubatch(BATCH)
        .with_n_seq_max(SEQUENCES)
        .with_kv_unified(true)
        .with_n_threads(count)
        .with_n_threads_batch(count);
    let context = model.new_context(backend, parameters).map_err(|error| broken(error.to_string()))?;
    let grammars = ParserFactory::new_simple(&LlamaSampler::llguidance_tok_env(&model));
    let grammars = grammars.map_err(|error| broken(error.to_string()))?;
    let prefixes = wish.cache.as_ref().map(|folder| Prefixes::of(folder, &sha256));
    let loaded = Loaded { file, sha256, threads };
    if replies.say(&Reply::Loaded(loaded)).is_err() {
        return Ok(Err(Gone));
    }
    Ok(Session::new(backend, &model, context, grammars, prefixes, replies).run(incoming))
}
