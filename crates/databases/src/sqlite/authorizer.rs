//! What a statement may touch, answered while SQLite compiles it.
//!
//! Select, recursion, columns of listed relations in the main schema, listed functions;
//! everything else is denied, whatever later versions of SQLite may add.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::functions;
use crate::DatabaseError;

/// Functions that stand where a table does and read nothing but their arguments.
const TABLE_FUNCTIONS: [&str; 2] = ["json_each", "json_tree"];

/// What there is and what is listed of it.
#[derive(Clone)]
struct Names {
    listed: BTreeSet<String>,
    known: BTreeSet<String>,
}

/// The list, and why the last thing was denied.
pub(super) struct Authorizer {
    names: Names,
    denied: Arc<Mutex<Option<String>>>,
}

impl Authorizer {
    pub(super) fn new(connection: &Connection, listed: &[String]) -> rusqlite::Result<Self> {
        let bare = |name: &String| {
            let name = name.to_lowercase();
            name.strip_prefix("main.").map(str::to_owned).unwrap_or(name)
        };
        let mut listed: BTreeSet<_> = listed.iter().map(bare).collect();
        // The snapshot in which the names are read is the one in which the statement runs.
        connection.execute_batch("BEGIN")?;
        let relations = "SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')";
        let relations = column(connection, relations)?;
        for function in TABLE_FUNCTIONS {
            // A real relation of that name is a relation, and listed or not.
            if !relations.contains(function) {
                listed.insert(function.to_owned());
            }
        }
        let modules = column(connection, "SELECT lower(name) FROM pragma_module_list")?;
        let known = relations.into_iter().chain(modules).collect();
        Ok(Authorizer { names: Names { listed, known }, denied: Arc::default() })
    }

    /// From here on the connection asks.
    pub(super) fn watch(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (names, denied) = (self.names.clone(), Arc::clone(&self.denied));
        connection.authorizer(Some(move |asked: AuthContext<'_>| match judge(&names, &asked) {
            Ok(()) => Authorization::Allow,
            Err(why) => {
                denied.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                Authorization::Deny
            }
        }))
    }

    /// The error with what was denied instead of SQLite's `not authorized`.
    pub(super) fn explain(&self, error: DatabaseError) -> DatabaseError {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (denied, error) {
            (_, error @ (DatabaseError::Deadline(_) | DatabaseError::TooLarge(_))) => error,
            (Some(why), _) => DatabaseError::Denied(why),
            (None, error) => error,
        }
    }
}

impl Names {
    /// Whether nothing in the file or in SQLite has the name, so that it is a common table
    /// expression's. SQLite tells of one only where none of its columns is used.
    fn is_free(&self, name: &str) -> bool {
        let own = name.starts_with("sqlite_") || name.starts_with("pragma_");
        !own && !self.known.contains(name)
    }
}

fn column(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever SQLite learns to do is denied")]
fn judge(names: &Names, asked: &AuthContext<'_>) -> Result<(), String> {
    match asked.action {
        AuthAction::Select | AuthAction::Recursive => Ok(()),
        AuthAction::Read { table_name, column_name } => {
            let name = table_name.to_lowercase();
            let listed = asked.database_name.is_none_or(|schema| schema == "main")
                && names.listed.contains(&name);
            let expression =
                asked.database_name.is_none() && column_name.is_empty() && names.is_free(&name);
            if listed || expression {
                return Ok(());
            }
            Err(format!("the relation `{table_name}` is not listed"))
        }
        AuthAction::Function { function_name } if functions::is_listed(function_name) => Ok(()),
        AuthAction::Function { function_name } => {
            Err(format!("the function `{function_name}` is not listed"))
        }
        AuthAction::Pragma { .. } => Err("pragmas are not read".to_owned()),
        AuthAction::Attach { .. } => Err("no other file is attached".to_owned()),
        // Writes, transactions and what comes after this was written.
        _ => Err("the statement does more than read".to_owned()),
    }
}
