//! Takes an errand to one model: with its key, with every other key to look for, with a log and a purse.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::id::ProjectId;
use conclave_effects::{ModelClass, Secret};
use conclave_inference::{
    Answer, AskError, Asking, Call, Carrier, Checked, Exchanged, Kind, Log, ModelRequest, Provider, Purse, Reach,
    Terms, Tools,
};
use conclave_policy::Actor;
use conclave_store::NewExchange;
use tokio::time::Instant;

use super::{Errand, Heard, Means, Model, Set};
use crate::spending::StorePurse;

pub(super) struct Carry {
    pub set: Arc<Set>,
    pub means: Arc<Means>,
    pub errand: Errand,
    /// What the model may use while it answers.
    pub tools: Option<Tools>,
}

impl Carrier for Carry {
    fn ask<'a>(&'a self, provider: &'a dyn Provider, request: &'a ModelRequest, until: Instant) -> Asking<'a, Answer> {
        Box::pin(self.carry(provider, request, until))
    }

    fn check<'a>(&'a self, provider: &'a dyn Provider, until: Instant) -> Asking<'a, Checked> {
        Box::pin(async move {
            let (model, actor) = self.who(provider)?;
            let taken = self.own_key(&actor, model).await?;
            let known = self.set.at_hand();
            let terms = Terms { key: key(model, taken.as_ref())?, known: &known, ..self.terms(until)? };
            provider.check(&Reach { gate: &self.errand.gate, actor, terms }).await
        })
    }

    fn start<'a>(&'a self, provider: &'a dyn Provider, until: Instant) -> Asking<'a, ()> {
        Box::pin(async move {
            let (model, actor) = self.who(provider)?;
            let taken = self.own_key(&actor, model).await?;
            let terms = Terms { key: key(model, taken.as_ref())?, ..self.terms(until)? };
            provider.start(&Reach { gate: &self.errand.gate, actor, terms }).await
        })
    }
}

impl Carry {
    async fn carry(&self, provider: &dyn Provider, request: &ModelRequest, until: Instant) -> Result<Answer, AskError> {
        let (errand, gate) = (&self.errand, &self.errand.gate);
        let (model, actor) = self.who(provider)?;
        self.holds_nothing_up(model)?;
        let taken = self.own_key(&actor, model).await?;
        let key = key(model, taken.as_ref())?;
        let log = |exchanged| self.keep(model, exchanged);
        let log = self.is_kept().then_some(&log as &Log<'_>);
        let purse = self.purse(model);
        let purse = Some(&purse as &dyn Purse);
        let known = self.set.at_hand();
        let terms = Terms { key, known: &known, log, purse, ..self.terms(until)? };
        let reach = Reach { gate, actor: actor.clone(), terms };
        // Where that cannot be found out, asking says why.
        let class = provider.class(&reach, until).await.unwrap_or(ModelClass::Hosted);
        let others = match class {
            ModelClass::Local => Vec::new(),
            ModelClass::Hosted => self.means.keys.all(gate, &actor, model.info().host.as_deref()).await?,
        };
        let known: Vec<&Secret> = known.iter().copied().chain(&others).collect();
        let terms = Terms { known: &known, deadline: left(until), ..terms };
        let reach = Reach { gate: &errand.gate, actor, terms };
        let live = errand.live.as_deref().filter(|_| !model.trial);
        let hear = |heard: Heard<'_>| live.iter().for_each(|live| live(heard));
        hear(Heard::Begin(model.name()));
        let result = provider
            .ask(Call { reach, request, tools: self.tools.as_ref(), on_delta: &mut |text| hear(Heard::Text(text)) })
            .await;
        hear(Heard::End);
        result
    }

    /// The model whose way `provider` is, and on whose behalf it is asked.
    fn who(&self, provider: &dyn Provider) -> Result<(&Model, Actor), AskError> {
        let name = &provider.info().name;
        let unknown = || AskError::NotOffered(format!("the settings name no model `{name}`"));
        let model = self.set.named(name).ok_or_else(unknown)?;
        Ok((model, (self.errand.actor)(name)))
    }

    /// Who is only tried out is waited for by nobody, a connected client included.
    fn holds_nothing_up(&self, model: &Model) -> Result<(), AskError> {
        let is_beside = model.trial && model.info().kind == Kind::McpSampling;
        if is_beside && self.errand.client.as_ref().is_some_and(|client| client.is_held_up()) {
            let why =
                "its model can be asked only in place of the answer that it waits for, which is too much for a trial";
            return Err(AskError::NotOffered(format!("as the client speaks MCP, {why}")));
        }
        Ok(())
    }

    fn terms(&self, until: Instant) -> Result<Terms<'_>, AskError> {
        let (proxy, tls_roots) = (self.set.settings.proxy.as_deref(), self.set.roots()?);
        let client = self.errand.client.as_deref();
        Ok(Terms { proxy, tls_roots, client, ..Terms::new(&self.errand.about, left(until)) })
    }

    /// The model's key from the keychain, where the settings name no variable and there is one.
    async fn own_key(&self, actor: &Actor, model: &Model) -> Result<Option<Secret>, AskError> {
        match (&model.key, &model.info().host) {
            (None, Some(host)) => self.means.keys.of(&self.errand.gate, actor, host).await,
            _ => Ok(None),
        }
    }

    fn purse(&self, model: &Model) -> StorePurse {
        let errand = &self.errand;
        let root = errand.about.project.as_deref();
        let is_own = |root: &&str| {
            let tiers = self.set.settings.project_tiers.get(*root);
            errand.cap.is_some_and(|cap| tiers.is_some_and(|own| own.of(cap.severity).is_some()))
        };
        StorePurse {
            cap_of: root.filter(is_own).map(str::to_owned),
            store: self.means.store.clone(),
            clock: errand.gate.clock().clone(),
            budget: self.set.settings.budget.clone(),
            cap: errand.cap,
            project: root.map(ProjectId::of_root),
            finding: errand.finding.clone(),
            run: errand.run.clone(),
            purpose: errand.purpose,
            price_date: model.info().price.as_ref().and_then(|price| price.dated.clone()),
        }
    }

    /// Whether questions about this project are kept, with their answers.
    fn is_kept(&self) -> bool {
        let log = &self.set.settings.exchange_log;
        let project = self.errand.about.project.as_ref();
        project.and_then(|project| log.projects.get(project)).copied().unwrap_or(log.on)
    }

    fn keep(&self, model: &Model, exchanged: Exchanged) {
        let Exchanged { seq, request, response, status } = exchanged;
        let exchange = NewExchange {
            seq,
            at_ms: self.errand.gate.clock().now_ms(),
            project: self.errand.about.project.clone(),
            endpoint: model.name().to_owned(),
            model: model.info().model.clone(),
            request,
            response,
            status,
        };
        if let Err(error) = self.means.store.put_exchange(&exchange) {
            tracing::warn!(%error, "an exchange with a model was not kept");
        }
    }
}

/// The key of `model`: the environment's, or the one that was `taken` out of the keychain.
fn key<'a>(model: &'a Model, taken: Option<&'a Secret>) -> Result<Option<&'a Secret>, AskError> {
    match &model.key {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(missing)) => Err(AskError::NoKey(missing.to_string())),
        None => Ok(taken),
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}
