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

/// The list, and why the last thing was denied.
pub(super) struct Authorizer {
    tables: BTreeSet<String>,
    denied: Arc<Mutex<Option<String>>>,
}

impl Authorizer {
    pub(super) fn new(connection: &Connection, listed: &[String]) -> rusqlite::Result<Self> {
        let bare = |name: &String| {
            let name = name.to_lowercase();
            name.strip_prefix("main.").map(str::to_owned).unwrap_or(name)
        };
        let mut tables: BTreeSet<_> = listed.iter().map(bare).collect();
        let taken = "SELECT count(*) FROM sqlite_schema WHERE lower(name) = ?1";
        for function in TABLE_FUNCTIONS {
            // A real relation of that name is a relation, and listed or not.
            if connection.query_row(taken, [function], |row| row.get::<_, i64>(0))? == 0 {
                tables.insert(function.to_owned());
            }
        }
        Ok(Authorizer { tables, denied: Arc::default() })
    }

    /// From here on the connection asks.
    pub(super) fn watch(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (tables, denied) = (self.tables.clone(), Arc::clone(&self.denied));
        connection.authorizer(Some(move |asked: AuthContext<'_>| match judge(&tables, &asked) {
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

fn judge(tables: &BTreeSet<String>, asked: &AuthContext<'_>) -> Result<(), String> {
    match asked.action {
        AuthAction::Select | AuthAction::Recursive => Ok(()),
        AuthAction::Read { table_name, .. } => {
            let schema = asked.database_name.unwrap_or("main");
            if schema == "main" && tables.contains(&table_name.to_lowercase()) {
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
        // Writes, transactions, and whatever SQLite learns after this was written: its
        // enum is not ours and grows.
        _ => Err("the statement does more than read".to_owned()),
    }
}
