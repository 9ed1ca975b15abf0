//! Answers that are kept in memory for an equal question, and equal questions that are under way.
//!
//! A question is equal when all of it is: every word of it, the longest answer and the form that it asks for, the
//! provider with its address and model, and what the asker says that it is shared among. The words of a prompt are
//! part of a question, so a prompt of another version is another question.
//!
//! Invariant: only an answer is kept; a failure, and a model that declines, are asked again.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::digest::Digest;
use conclave_core::settings::AnswerCache;
use moka::future::Cache;

use crate::answer::Answer;
use crate::error::AskError;
use crate::provider::Info;
use crate::request::ModelRequest;

/// A longer answer is not kept, so that the most that are cannot fill the memory, in bytes.
const LONGEST: usize = 256 * 1024;

/// The answers that are kept.
pub(crate) struct Answers(Option<Cache<Digest, Answer>>);

/// What came of a question, and is not kept.
enum Unkept {
    Failed(Arc<AskError>),
    Said(Answer),
}

impl Answers {
    /// Keeps answers as `setting` says; with no time, or no room, none.
    pub fn new(setting: &AnswerCache) -> Self {
        let keep = Duration::from_secs(setting.keep_s);
        let cache = || Cache::builder().max_capacity(setting.most).time_to_live(keep).build();
        Self((setting.keep_s > 0 && setting.most > 0).then(cache))
    }

    /// The answer that is kept under `key`, or that of `ask`, which is then kept; and whether it was `ask` that was
    /// not needed. Of several at a time, one asks.
    pub async fn get_or(
        &self,
        key: Option<Digest>,
        ask: impl Future<Output = Result<Answer, AskError>>,
    ) -> Result<(Answer, bool), Arc<AskError>> {
        let (Some(cache), Some(key)) = (&self.0, key) else {
            return ask.await.map(|answer| (answer, false)).map_err(Arc::new);
        };
        let asked = async {
            match ask.await {
                Ok(answer) if is_worth_keeping(&answer) => Ok(answer),
                Ok(answer) => Err(Unkept::Said(answer)),
                Err(error) => Err(Unkept::Failed(Arc::new(error))),
            }
        };
        match cache.entry(key).or_try_insert_with(asked).await {
            Ok(entry) => {
                let was_kept = !entry.is_fresh();
                Ok((entry.into_value(), was_kept))
            }
            Err(unkept) => match &*unkept {
                Unkept::Failed(error) => Err(Arc::clone(error)),
                Unkept::Said(answer) => Ok((answer.clone(), false)),
            },
        }
    }
}

fn is_worth_keeping(answer: &Answer) -> bool {
    matches!(answer, Answer::Text { text, .. } if text.len() <= LONGEST)
}

/// What an answer of the provider `info` to `request` is kept under, for those who share `scope`.
pub(crate) fn key(info: &Info, request: &ModelRequest, scope: &str) -> Digest {
    let schema = request.schema.as_ref().map(ToString::to_string);
    Digest::of_parts([
        scope,
        &info.name,
        &info.place,
        &info.model,
        &request.system,
        &request.user,
        &request.max_tokens.to_string(),
        &request.schema_name,
        &request.sample.to_string(),
        schema.as_deref().unwrap_or_default(),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;
    use crate::answer::Form;
    use crate::provider::{Capabilities, Kind};

    fn says(text: &str) -> Answer {
        Answer::Text { text: text.to_owned(), form: Form::Free, usage: None, model: "m".to_owned() }
    }

    fn declines() -> Answer {
        Answer::Refusal { reason: String::new(), usage: None, model: "m".to_owned() }
    }

    fn some_key() -> Option<Digest> {
        Some(Digest::of(b"x"))
    }

    #[tokio::test]
    async fn an_answer_is_kept_and_nothing_else_is() {
        let long = || says(&"x".repeat(LONGEST + 1));
        type Ask = fn() -> Result<Answer, AskError>;
        for (name, ask, is_kept) in [
            ("an answer", (|| Ok(says("hi"))) as Ask, true),
            ("a model that declines", || Ok(declines()), false),
            ("a failure", || Err(AskError::Cut), false),
        ] {
            let answers = Answers::new(&AnswerCache::default());
            let first = answers.get_or(some_key(), async { ask() }).await.map(|(_, was_kept)| was_kept).ok();
            assert_eq!(first, ask().ok().map(|_| false), "{name}");
            let second = answers.get_or(some_key(), async { Ok(says("anew")) }).await.unwrap();
            assert_eq!(second, if is_kept { (says("hi"), true) } else { (says("anew"), false) }, "{name}");
        }
        let answers = Answers::new(&AnswerCache::default());
        assert_eq!(answers.get_or(some_key(), async { Ok(long()) }).await.unwrap(), (long(), false));
        assert!(!answers.get_or(some_key(), async { Ok(long()) }).await.unwrap().1, "it is too long to be kept");
    }

    #[tokio::test]
    async fn nothing_is_kept_without_a_key_time_or_room() {
        let setting = |keep_s, most| AnswerCache { keep_s, most };
        for (setting, key) in
            [(setting(0, 1000), some_key()), (setting(300, 0), some_key()), (AnswerCache::default(), None)]
        {
            let answers = Answers::new(&setting);
            for text in ["one", "two"] {
                let got = answers.get_or(key.clone(), async { Ok(says(text)) }).await.unwrap();
                assert_eq!(got, (says(text), false), "{setting:?}");
            }
        }
    }

    #[test]
    fn answers_have_their_time_and_number_without_any_setting() {
        let policy = Answers::new(&AnswerCache::default()).0.unwrap().policy();
        assert_eq!((policy.time_to_live(), policy.max_capacity()), (Some(Duration::from_secs(300)), Some(1000)));
    }

    #[tokio::test]
    async fn equal_questions_at_a_time_are_asked_once() {
        let (answers, asked) = (Answers::new(&AnswerCache::default()), AtomicUsize::new(0));
        let ask = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(says("hi"))
        };
        let (one, two) = tokio::join!(answers.get_or(some_key(), ask()), answers.get_or(some_key(), ask()));
        assert_eq!((one.unwrap(), two.unwrap()), ((says("hi"), false), (says("hi"), true)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn everything_that_could_change_an_answer_is_in_its_key() {
        let info = Info {
            name: "n".to_owned(),
            kind: Kind::Api,
            model: "m".to_owned(),
            place: "p".to_owned(),
            host: None,
            may_send_code: false,
            can: Capabilities::default(),
            price: None,
        };
        let request = ModelRequest {
            system: "s".to_owned(),
            user: "u".to_owned(),
            max_tokens: 9,
            schema: Some(json!({ "type": "object" })),
            schema_name: "f".to_owned(),
            sample: 0,
        };
        let with = |change: fn(&mut ModelRequest)| {
            let mut request = request.clone();
            change(&mut request);
            key(&info, &request, "")
        };
        let at = |change: fn(&mut Info)| {
            let mut info = info.clone();
            change(&mut info);
            key(&info, &request, "")
        };
        let keys = [
            key(&info, &request, ""),
            key(&info, &request, "elsewhere"),
            with(|request| request.system.push('x')),
            with(|request| request.user.push('x')),
            with(|request| request.max_tokens = 8),
            with(|request| request.schema = None),
            with(|request| request.schema = Some(json!({ "type": "string" }))),
            with(|request| request.schema_name.push('x')),
            with(|request| request.sample = 1),
            at(|info| info.name.push('x')),
            at(|info| info.place.push('x')),
            at(|info| info.model.push('x')),
        ];
        let distinct: BTreeSet<&Digest> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(keys[0], key(&info.clone(), &request.clone(), ""));
    }
}
