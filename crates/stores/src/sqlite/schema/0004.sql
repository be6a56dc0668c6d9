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

-- The keys of sessions' content, wrapped. A destroyed key stays as a row without one.
CREATE TABLE session_key (
  tenant      TEXT    NOT NULL,
  session     BLOB    NOT NULL,
  user        TEXT    NOT NULL,
  environment TEXT    NOT NULL,
  made        INTEGER NOT NULL,
  wrapped     BLOB,
  PRIMARY KEY (tenant, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_key_user ON session_key (tenant, user) WHERE wrapped IS NOT NULL;
CREATE INDEX session_key_made ON session_key (tenant, environment, made) WHERE wrapped IS NOT NULL;
