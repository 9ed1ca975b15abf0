//! What is remembered across runs, as a graph of entities with observations and of relations between them.
//!
//! Everything belongs to one client, and no query reaches over two: what is remembered of one is never seen for another.
//! Deliberately absent: what entities mean, and numbers about models, which have tables of their own.
//! Invariants: each change is one transaction, so changes made at the same time lose nothing; who wrote a row is kept, and
//! a model removes only what models wrote.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE memory_entity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (client, name)
) STRICT;
CREATE TABLE memory_observation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    entity INTEGER NOT NULL REFERENCES memory_entity (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (entity, text)
) STRICT;
CREATE INDEX memory_observation_of_client ON memory_observation (client);
CREATE TABLE memory_relation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (client, source, target, kind)
) STRICT;
";

/// Most entities of one client, and most observations of all of them.
const MOST_ENTITIES: i64 = 20_000;
const MOST_OBSERVATIONS: i64 = 100_000;

/// Who wrote something into the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryOrigin {
    /// A model, in its own words.
    Model,
    /// Somebody's file.
    Import,
}

/// Something that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryEntity {
    /// Its name; a client has one entity of a name.
    pub name: String,
    /// What it is, for example `fix_pattern`.
    pub kind: String,
    /// Who wrote it.
    pub origin: MemoryOrigin,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What is known of it, oldest first.
    pub observations: Vec<MemoryObservation>,
}

/// One thing that is known of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryObservation {
    /// In words.
    pub text: String,
    /// Who wrote it.
    pub origin: MemoryOrigin,
}

/// An entity to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMemory {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// What is known of it.
    pub observations: Vec<String>,
}

/// How two entities belong together; neither has to be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryRelation {
    /// The name of one.
    pub from: String,
    /// The name of the other.
    pub to: String,
    /// How, for example `proposed`.
    pub kind: String,
}

/// All that is remembered for one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryGraph {
    /// The entities, oldest first.
    pub entities: Vec<MemoryEntity>,
    /// The relations, oldest first.
    pub relations: Vec<MemoryRelation>,
}

/// What became of a graph that was to be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryAdded {
    /// How many entities are new.
    pub entities: usize,
    /// How many observations were added to entities that were there already.
    pub observations: usize,
    /// How many relations are new.
    pub relations: usize,
}

/// Who writes what for which client, and when.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWriter<'a> {
    /// The client; empty where there is none.
    pub client: &'a str,
    /// Who writes.
    pub origin: MemoryOrigin,
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Store {
    /// All that is remembered for `client`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn memory(&self, client: &str) -> Result<MemoryGraph> {
        self.read(|transaction| graph(transaction, client))
    }

    /// Remembers those of `new` whose names are free, and gives their indices.
    ///
    /// # Errors
    /// A database that cannot be written, or a memory that is full; then nothing is remembered.
    pub fn create_memories(&self, by: MemoryWriter<'_>, new: &[NewMemory]) -> Result<Vec<usize>> {
        self.write(|transaction| {
            let mut made = Vec::new();
            for (index, entity) in new.iter().enumerate() {
                if create(transaction, by, entity)?.is_some() {
                    made.push(index);
                }
            }
            has_room(transaction, by.client)?;
            Ok(made)
        })
    }

    /// Adds observations to entities, and gives for each which of its texts are new.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for an entity that is not there, a database that cannot be written, or a memory that is
    /// full; then nothing is added.
    pub fn add_observations(&self, by: MemoryWriter<'_>, new: &[(String, Vec<String>)]) -> Result<Vec<Vec<String>>> {
        self.write(|transaction| {
            let mut added = Vec::new();
            for (name, texts) in new {
                let (entity, _) = entity(transaction, by.client, name)?
                    .ok_or_else(|| StoreError::Missing { what: "entity", id: name.clone() })?;
                added.push(observe(transaction, by, entity, texts)?);
            }
            has_room(transaction, by.client)?;
            Ok(added)
        })
    }

    /// Remembers those of `new` that are not there yet, and gives them.
    ///
    /// # Errors
    /// A database that cannot be written, or a memory that is full; then nothing is remembered.
    pub fn create_relations(&self, by: MemoryWriter<'_>, new: &[MemoryRelation]) -> Result<Vec<MemoryRelation>> {
        self.write(|transaction| {
            let mut made = Vec::new();
            for relation in new {
                if relate(transaction, by, relation)? {
                    made.push(relation.clone());
                }
            }
            has_room(transaction, by.client)?;
            Ok(made)
        })
    }

    /// Remembers a graph: entities and relations that are new, and what is new of entities that are there. No more is
    /// written than a memory may hold by itself.
    ///
    /// # Errors
    /// A database that cannot be written, or a memory that is full; then nothing of it is remembered.
    pub fn add_memory(
        &self,
        by: MemoryWriter<'_>,
        entities: &[NewMemory],
        relations: &[MemoryRelation],
    ) -> Result<MemoryAdded> {
        self.write(|transaction| {
            let mut added = MemoryAdded::default();
            // Those of new entities as well.
            let mut observations = 0;
            for new in entities {
                if let Some(first) = create(transaction, by, new)? {
                    added.entities += 1;
                    observations += first;
                } else if let Some((id, _)) = entity(transaction, by.client, &new.name)? {
                    let more = observe(transaction, by, id, &new.observations)?.len();
                    added.observations += more;
                    observations += more;
                }
                fits(added.entities, MOST_ENTITIES)?;
                fits(observations, MOST_OBSERVATIONS)?;
            }
            for new in relations {
                added.relations += usize::from(relate(transaction, by, new)?);
                fits(added.relations, MOST_OBSERVATIONS)?;
            }
            has_room(transaction, by.client)?;
            Ok(added)
        })
    }

    /// Forgets entities with their observations and relations; a name that is not there is passed over.
    ///
    /// # Errors
    /// [`StoreError::Kept`] where a model would forget what no model wrote, or a database that cannot be written; then
    /// nothing is forgotten.
    pub fn delete_memories(&self, by: MemoryWriter<'_>, names: &[String]) -> Result<()> {
        self.write(|transaction| {
            for name in names {
                let Some((entity, origin)) = entity(transaction, by.client, name)? else { continue };
                let others = "SELECT EXISTS (SELECT 1 FROM memory_observation WHERE entity = ?1 AND origin <> 'model')";
                let others: bool = transaction.query_row(others, [entity], |row| row.get(0))?;
                let tied = "SELECT EXISTS (SELECT 1 FROM memory_relation
                            WHERE client = ?1 AND (source = ?2 OR target = ?2) AND origin <> 'model')";
                let tied: bool = transaction.query_row(tied, [by.client, name], |row| row.get(0))?;
                by.may_delete(name, origin == MemoryOrigin::Model && !others && !tied)?;
                transaction.execute("DELETE FROM memory_entity WHERE id = ?1", [entity])?;
                transaction.execute(
                    "DELETE FROM memory_relation WHERE client = ?1 AND (source = ?2 OR target = ?2)",
                    [by.client, name],
                )?;
            }
            Ok(())
        })
    }

    /// Forgets observations of entities; what is not there is passed over.
    ///
    /// # Errors
    /// As [`Store::delete_memories`].
    pub fn delete_observations(&self, by: MemoryWriter<'_>, old: &[(String, Vec<String>)]) -> Result<()> {
        self.write(|transaction| {
            for (name, texts) in old {
                let Some((entity, _)) = entity(transaction, by.client, name)? else { continue };
                for text in texts {
                    let sql = "SELECT origin FROM memory_observation WHERE entity = ?1 AND text = ?2";
                    let origin: Option<String> =
                        transaction.query_row(sql, params![entity, text], |row| row.get(0)).optional()?;
                    let Some(origin) = origin else { continue };
                    by.may_delete(name, from_word::<MemoryOrigin>(&origin)? == MemoryOrigin::Model)?;
                    let sql = "DELETE FROM memory_observation WHERE entity = ?1 AND text = ?2";
                    transaction.execute(sql, params![entity, text])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets relations; one that is not there is passed over.
    ///
    /// # Errors
    /// As [`Store::delete_memories`].
    pub fn delete_relations(&self, by: MemoryWriter<'_>, old: &[MemoryRelation]) -> Result<()> {
        self.write(|transaction| {
            for MemoryRelation { from, to, kind } in old {
                let ids = [by.client, from, to, kind];
                let sql = "SELECT origin FROM memory_relation
                           WHERE client = ?1 AND source = ?2 AND target = ?3 AND kind = ?4";
                let origin: Option<String> = transaction.query_row(sql, ids, |row| row.get(0)).optional()?;
                let Some(origin) = origin else { continue };
                by.may_delete(from, from_word::<MemoryOrigin>(&origin)? == MemoryOrigin::Model)?;
                let sql = "DELETE FROM memory_relation WHERE client = ?1 AND source = ?2 AND target = ?3 AND kind = ?4";
                transaction.execute(sql, ids)?;
            }
            Ok(())
        })
    }
}

impl MemoryWriter<'_> {
    /// Whether this writer may remove something of the entity `name`.
    fn may_delete(&self, name: &str, is_of_a_model: bool) -> Result<()> {
        if self.origin == MemoryOrigin::Model && !is_of_a_model {
            return Err(StoreError::Kept { what: "entity", id: name.to_owned() });
        }
        Ok(())
    }
}

/// The entity's number and who wrote it.
fn entity(transaction: &Transaction<'_>, client: &str, name: &str) -> Result<Option<(i64, MemoryOrigin)>> {
    let sql = "SELECT id, origin FROM memory_entity WHERE client = ?1 AND name = ?2";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let found: Option<(i64, String)> = transaction.prepare_cached(sql)?.query_row([client, name], row).optional()?;
    found.map(|(id, origin)| Ok((id, from_word(&origin)?))).transpose()
}

/// Remembers `new` where its name is free, and gives how many observations it has; `None` where the name is taken.
fn create(transaction: &Transaction<'_>, by: MemoryWriter<'_>, new: &NewMemory) -> Result<Option<usize>> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO memory_entity (client, name, kind, origin, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (client, name) DO NOTHING",
    )?;
    let is_new = insert.execute(params![by.client, new.name, new.kind, word(&by.origin)?, by.now_ms])? > 0;
    if !is_new {
        return Ok(None);
    }
    Ok(Some(observe(transaction, by, transaction.last_insert_rowid(), &new.observations)?.len()))
}

/// Remembers `new` where it is not there yet; whether it was not.
fn relate(transaction: &Transaction<'_>, by: MemoryWriter<'_>, new: &MemoryRelation) -> Result<bool> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO memory_relation (client, source, target, kind, origin, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (client, source, target, kind) DO NOTHING",
    )?;
    Ok(insert.execute(params![by.client, new.from, new.to, new.kind, word(&by.origin)?, by.now_ms])? > 0)
}

/// Adds `texts` to the entity and gives those that are new.
fn observe(transaction: &Transaction<'_>, by: MemoryWriter<'_>, entity: i64, texts: &[String]) -> Result<Vec<String>> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO memory_observation (client, entity, text, origin, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (entity, text) DO NOTHING",
    )?;
    let mut added = Vec::new();
    for text in texts {
        if insert.execute(params![by.client, entity, text, word(&by.origin)?, by.now_ms])? > 0 {
            added.push(text.clone());
        }
    }
    Ok(added)
}

/// Whether what has been written fits into the client's memory.
fn has_room(transaction: &Transaction<'_>, client: &str) -> Result<()> {
    let count = |sql: &str| transaction.query_row(sql, [client], |row| row.get::<_, i64>(0));
    let entities = count("SELECT count(*) FROM memory_entity WHERE client = ?1")?;
    let relations = count("SELECT count(*) FROM memory_relation WHERE client = ?1")?;
    let observations = count("SELECT count(*) FROM memory_observation WHERE client = ?1")?;
    if entities > MOST_ENTITIES || relations > MOST_OBSERVATIONS || observations > MOST_OBSERVATIONS {
        return Err(full());
    }
    Ok(())
}

/// Whether a memory with nothing else in it has room for `added`, of which it holds at most `most`.
fn fits(added: usize, most: i64) -> Result<()> {
    if i64::try_from(added).is_ok_and(|added| added <= most) { Ok(()) } else { Err(full()) }
}

fn full() -> StoreError {
    StoreError::Full { what: "memory", most: MOST_ENTITIES }
}

fn graph(transaction: &Transaction<'_>, client: &str) -> Result<MemoryGraph> {
    let mut graph = MemoryGraph::default();
    let mut places = BTreeMap::new();
    let mut statement = transaction
        .prepare_cached("SELECT id, name, kind, origin, at FROM memory_entity WHERE client = ?1 ORDER BY id")?;
    let mut rows = statement.query([client])?;
    while let Some(row) = rows.next()? {
        let (id, origin): (i64, String) = (row.get(0)?, row.get(3)?);
        places.insert(id, graph.entities.len());
        graph.entities.push(MemoryEntity {
            name: row.get(1)?,
            kind: row.get(2)?,
            origin: from_word(&origin)?,
            at: row.get(4)?,
            observations: Vec::new(),
        });
    }
    let mut statement = transaction
        .prepare_cached("SELECT entity, text, origin FROM memory_observation WHERE client = ?1 ORDER BY id")?;
    let mut rows = statement.query([client])?;
    while let Some(row) = rows.next()? {
        let (entity, origin): (i64, String) = (row.get(0)?, row.get(2)?);
        if let Some(entity) = places.get(&entity).and_then(|place| graph.entities.get_mut(*place)) {
            entity.observations.push(MemoryObservation { text: row.get(1)?, origin: from_word(&origin)? });
        }
    }
    let mut statement =
        transaction.prepare_cached("SELECT source, target, kind FROM memory_relation WHERE client = ?1 ORDER BY id")?;
    let rows = statement
        .query_map([client], |row| Ok(MemoryRelation { from: row.get(0)?, to: row.get(1)?, kind: row.get(2)? }))?;
    graph.relations = rows.collect::<rusqlite::Result<_>>()?;
    Ok(graph)
}

impl MemoryGraph {
    /// Those entities that `keep` holds, and the relations at which one of them has an end.
    #[must_use]
    pub fn filtered(self, keep: impl Fn(&MemoryEntity) -> bool) -> Self {
        let entities: Vec<MemoryEntity> = self.entities.into_iter().filter(|entity| keep(entity)).collect();
        let names: BTreeSet<&str> = entities.iter().map(|entity| entity.name.as_str()).collect();
        let touches =
            |relation: &MemoryRelation| names.contains(relation.from.as_str()) || names.contains(relation.to.as_str());
        let relations = self.relations.into_iter().filter(touches).collect();
        Self { entities, relations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, again, fresh};

    fn by(client: &str, origin: MemoryOrigin) -> MemoryWriter<'_> {
        MemoryWriter { client, origin, now_ms: NOW }
    }

    fn new(name: &str, observations: &[&str]) -> NewMemory {
        let observations = observations.iter().map(|text| (*text).to_owned()).collect();
        NewMemory { name: name.to_owned(), kind: "fix_pattern".to_owned(), observations }
    }

    fn relation(from: &str, to: &str) -> MemoryRelation {
        MemoryRelation { from: from.to_owned(), to: to.to_owned(), kind: "proposed".to_owned() }
    }

    fn names(store: &Store, client: &str) -> Vec<String> {
        store.memory(client).unwrap().entities.into_iter().map(|entity| entity.name).collect()
    }

    #[test]
    fn nothing_that_is_remembered_of_one_client_is_seen_or_changed_for_another() {
        let (_folder, store) = fresh();
        let [ada, bob] = ["ada", "bob"].map(|client| by(client, MemoryOrigin::Import));
        for (writer, observation) in [(ada, "of ada"), (bob, "of bob")] {
            assert_eq!(store.create_memories(writer, &[new("same", &[observation])]).unwrap(), [0]);
            assert_eq!(store.create_relations(writer, &[relation("same", "x")]).unwrap().len(), 1);
        }
        store.add_observations(ada, &[("same".to_owned(), vec!["more of ada".to_owned()])]).unwrap();
        store.delete_observations(ada, &[("same".to_owned(), vec!["of bob".to_owned()])]).unwrap();
        let texts = |client: &str| {
            let graph = store.memory(client).unwrap();
            let texts = graph.entities.into_iter().flat_map(|entity| entity.observations).map(|seen| seen.text);
            (texts.collect::<Vec<_>>(), graph.relations.len())
        };
        assert_eq!(texts("ada"), (vec!["of ada".to_owned(), "more of ada".to_owned()], 1));
        assert_eq!(texts("bob"), (vec!["of bob".to_owned()], 1));
        store.delete_memories(ada, &["same".to_owned()]).unwrap();
        assert_eq!(texts("ada"), (vec![], 0));
        assert_eq!(texts("bob"), (vec!["of bob".to_owned()], 1));
        assert_eq!(texts(""), (vec![], 0));
    }

    #[test]
    fn changes_that_are_made_at_the_same_time_lose_nothing() {
        let (folder, store) = fresh();
        let stores = [store.clone(), again(&folder)];
        std::thread::scope(|scope| {
            for (number, store) in stores.iter().cycle().take(8).enumerate() {
                scope.spawn(move || {
                    for index in 0..5 {
                        let name = format!("{number}-{index}");
                        store.create_memories(by("", MemoryOrigin::Model), &[new(&name, &["a", "b"])]).unwrap();
                        let more = [(name, vec!["b".to_owned(), "c".to_owned()])];
                        let added = store.add_observations(by("", MemoryOrigin::Model), &more).unwrap();
                        assert_eq!(added, [["c".to_owned()]]);
                    }
                });
            }
        });
        let graph = store.memory("").unwrap();
        assert_eq!(graph.entities.len(), 40);
        assert!(graph.entities.iter().all(|entity| entity.observations.len() == 3));
    }

    #[test]
    fn a_name_that_is_taken_is_left_as_it_is_and_a_missing_entity_takes_everything_back() {
        let (_folder, store) = fresh();
        let writer = by("", MemoryOrigin::Model);
        assert_eq!(
            store.create_memories(writer, &[new("a", &["1"]), new("a", &["2"]), new("b", &[])]).unwrap(),
            [0, 2]
        );
        let add = [("a".to_owned(), vec!["3".to_owned()]), ("z".to_owned(), vec!["4".to_owned()])];
        let error = store.add_observations(writer, &add).unwrap_err();
        assert!(matches!(error, StoreError::Missing { ref id, .. } if id == "z"), "{error}");
        assert_eq!(store.memory("").unwrap().entities[0].observations.len(), 1);
    }

    #[test]
    fn a_model_removes_what_models_wrote_and_nothing_else() {
        let (_folder, store) = fresh();
        let [model, person] = [MemoryOrigin::Model, MemoryOrigin::Import].map(|origin| by("", origin));
        let text = |text: &str| vec![text.to_owned()];
        store.create_memories(model, &[new("own", &["m"]), new("shared", &["m"]), new("tied", &[])]).unwrap();
        store.create_memories(person, &[new("fact", &["e"])]).unwrap();
        store.add_observations(person, &[("shared".to_owned(), text("e"))]).unwrap();
        store.create_relations(person, &[relation("tied", "fact")]).unwrap();
        store.create_relations(model, &[relation("own", "fact")]).unwrap();
        let kept = |result: Result<()>| assert!(matches!(result, Err(StoreError::Kept { .. })), "{result:?}");
        kept(store.delete_memories(model, &text("fact")));
        kept(store.delete_memories(model, &["own".to_owned(), "shared".to_owned()]));
        kept(store.delete_memories(model, &text("tied")));
        kept(store.delete_observations(model, &[("fact".to_owned(), text("e"))]));
        kept(store.delete_relations(model, &[relation("tied", "fact")]));
        assert_eq!(names(&store, ""), ["own", "shared", "tied", "fact"]);
        store.delete_observations(model, &[("shared".to_owned(), text("m")), ("gone".to_owned(), text("m"))]).unwrap();
        store.delete_relations(model, &[relation("own", "fact"), relation("own", "gone")]).unwrap();
        store.delete_memories(model, &["own".to_owned(), "gone".to_owned()]).unwrap();
        store.delete_memories(person, &text("fact")).unwrap();
        let graph = store.memory("").unwrap();
        assert_eq!((names(&store, ""), graph.relations), (vec!["shared".to_owned(), "tied".to_owned()], vec![]));
        assert_eq!(
            graph.entities[0].observations,
            [MemoryObservation { text: "e".into(), origin: MemoryOrigin::Import }]
        );
    }

    #[test]
    fn a_full_memory_takes_nothing_more() {
        let (_folder, store) = fresh();
        let writer = by("", MemoryOrigin::Model);
        let many: Vec<NewMemory> = (0..=MOST_ENTITIES).map(|number| new(&number.to_string(), &[])).collect();
        let error = store.create_memories(writer, &many).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        let error = store.add_memory(writer, &many, &[relation("a", "b")]).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert_eq!(names(&store, "").len(), 0);
        // It stops where it is full: what comes after is never written.
        let later = "CREATE TRIGGER later BEFORE INSERT ON memory_relation BEGIN SELECT RAISE(ABORT, 'too late'); END";
        store.write(|transaction| Ok(transaction.execute_batch(later)?)).unwrap();
        let error = store.add_memory(writer, &many, &[relation("a", "b")]).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
    }
}
