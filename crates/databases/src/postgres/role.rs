//! Whether a role could do more than read.
//!
//! Every role counts that the account is a member of, inherited or not, because a
//! statement may be able to change to it.

use tokio_postgres::{Client, Error};

/// One line for the first power that a reader should not have.
const POWER: &str = "
WITH mine AS (
  SELECT * FROM pg_catalog.pg_roles AS r
  WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
)
SELECT found.words FROM (
  SELECT 1 AS rank, 'it is a superuser, or may become one' AS words FROM mine WHERE rolsuper
  UNION ALL
  SELECT 2, 'it may change roles' FROM mine WHERE rolcreaterole
  UNION ALL
  SELECT 3, 'it passes row-level security' FROM mine WHERE rolbypassrls
  UNION ALL
  SELECT 4, 'it may replicate' FROM mine WHERE rolreplication
  UNION ALL
  SELECT 5, 'it is a member of `' || rolname || '`' FROM mine
  WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files',
    'pg_execute_server_program', 'pg_signal_backend', 'pg_write_all_data',
    'pg_create_subscription', 'pg_maintain', 'pg_checkpoint')
  UNION ALL
  (SELECT 6, 'it may write `' || c.oid::pg_catalog.regclass::text || '`'
   FROM pg_catalog.pg_class AS c
   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   CROSS JOIN mine
   WHERE c.relkind IN ('r', 'p', 'v', 'f')
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
     AND (pg_catalog.has_table_privilege(mine.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
       OR pg_catalog.has_any_column_privilege(mine.oid, c.oid, 'INSERT, UPDATE'))
   LIMIT 1)
) AS found ORDER BY found.rank LIMIT 1";

/// The first power that it has, if it has any.
pub(super) async fn power(client: &Client) -> Result<Option<String>, Error> {
    Ok(client.query_opt(POWER, &[]).await?.map(|row| row.get(0)))
}
