//! The folders that Conclave looks after.

use conclave_core::id::ProjectId;
use conclave_core::project::Project;
use rusqlite::{OptionalExtension, Row, params};

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    root TEXT NOT NULL,
    name TEXT NOT NULL,
    watched INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;
";

const COLUMNS: &str = "id, root, name, watched, listed";

impl Store {
    /// Adds `project`, or writes it over what is known under its id.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn save_project(&self, project: &Project, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO project (id, root, name, watched, listed, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET
                    root = excluded.root, name = excluded.name, watched = excluded.watched, listed = excluded.listed",
                params![project.id.as_str(), project.root, project.name, project.watched, project.listed, now_ms],
            )?;
            Ok(())
        })
    }

    /// The project `id`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn project(&self, id: &ProjectId) -> Result<Option<Project>> {
        self.read(|transaction| {
            let sql = format!("SELECT {COLUMNS} FROM project WHERE id = ?1");
            Ok(transaction.query_row(&sql, [id.as_str()], project).optional()?)
        })
    }

    /// All projects, by name.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn projects(&self) -> Result<Vec<Project>> {
        self.read(|transaction| {
            let sql = format!("SELECT {COLUMNS} FROM project ORDER BY name COLLATE NOCASE, root");
            let mut statement = transaction.prepare(&sql)?;
            Ok(statement.query_map([], project)?.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    let id: String = row.get(0)?;
    Ok(Project {
        id: ProjectId::new(id),
        root: row.get(1)?,
        name: row.get(2)?,
        watched: row.get(3)?,
        listed: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};

    #[test]
    fn a_project_is_saved_once_and_changed_in_place() {
        let (_folder, store) = fresh();
        let id = ProjectId::of_root("/srv/shop");
        let shop =
            Project { id: id.clone(), root: "/srv/shop".into(), name: "shop".into(), watched: false, listed: true };
        let attic = Project {
            id: ProjectId::of_root("/a"),
            root: "/a".into(),
            name: "Attic".into(),
            watched: true,
            listed: false,
        };
        for project in [&shop, &attic] {
            store.save_project(project, NOW).unwrap();
        }
        let watched = Project { watched: true, ..shop };
        store.save_project(&watched, NOW + 1).unwrap();
        assert_eq!(store.project(&id).unwrap(), Some(watched.clone()));
        assert_eq!(store.projects().unwrap(), [attic, watched]);
        assert_eq!(store.project(&ProjectId::new("nowhere")).unwrap(), None);
    }
}
