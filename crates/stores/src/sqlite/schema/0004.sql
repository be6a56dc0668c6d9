-- The audit: a chain of entries for each tenant. What people wrote stands beside an entry,
-- so that it can be erased and the chain still verifies.

CREATE TABLE audit (
  tenant      TEXT    NOT NULL,
  seq         INTEGER NOT NULL, -- from 1, without a gap behind the chain's beginning
  at          INTEGER NOT NULL,
  environment TEXT    NOT NULL,
  prev        BLOB    NOT NULL,
  body        BLOB    NOT NULL,
  content     BLOB,             -- NULL: there was none, or it was erased
  PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_content ON audit (tenant, environment, at) WHERE content IS NOT NULL;

CREATE TABLE audit_chain (
  tenant     TEXT    NOT NULL PRIMARY KEY,
  first_seq  INTEGER NOT NULL, -- entries up to this one were removed
  first_hash BLOB    NOT NULL,
  last_seq   INTEGER NOT NULL,
  last_hash  BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose content a session is, and the key that it is sealed with, wrapped by one that is
-- not here. What was erased stays as a row that says so.
CREATE TABLE session_content (
  tenant      TEXT    NOT NULL,
  session     BLOB    NOT NULL,
  user        TEXT    NOT NULL,
  environment TEXT    NOT NULL,
  made        INTEGER NOT NULL,
  wrapped     BLOB,             -- NULL: its content is not sealed
  erased      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_content_user ON session_content (tenant, user) WHERE erased = 0;
CREATE INDEX session_content_made ON session_content (tenant, environment, made)
  WHERE erased = 0;

-- Payloads belong to a session, or to all of a tenant's (then the owner is 16 zero bytes), so
-- that a session's can be erased with it.
CREATE TABLE owned_payload (
  tenant TEXT    NOT NULL,
  owner  BLOB    NOT NULL,
  hash   BLOB    NOT NULL,
  sealed INTEGER NOT NULL, -- 1: the hash is that of what was sealed
  bytes  BLOB    NOT NULL,
  PRIMARY KEY (tenant, owner, hash)
) STRICT;

INSERT INTO owned_payload SELECT tenant, zeroblob(16), hash, 0, bytes FROM payload;
DROP TABLE payload;
ALTER TABLE owned_payload RENAME TO payload;
