-- Amounts, tokens and sequence numbers are unsigned 64-bit numbers in SQLite's signed
-- ones; instants are milliseconds since 1970 (UTC); hashes are BLAKE3, 32 bytes.

CREATE TABLE session (
  key         INTEGER PRIMARY KEY, -- short name for the rows below; never leaves the file
  tenant      TEXT    NOT NULL,
  id          BLOB    NOT NULL,    -- UUID, 16 bytes, so that ids of version 7 sort by age
  seq         INTEGER NOT NULL,    -- the last event
  hash        BLOB    NOT NULL,    -- its hash: a cut-off tail shows
  epoch       INTEGER NOT NULL,
  owner       TEXT    NOT NULL,
  lease_until INTEGER NOT NULL,    -- 0: nobody's
  updated     INTEGER NOT NULL,
  status      INTEGER NOT NULL,    -- 0 idle, 1 running, 2 parked, 3 finished, 4 failed, 5 cancelled
  due         INTEGER,
  title       TEXT    NOT NULL,
  agent_id    TEXT    NOT NULL,
  user        TEXT    NOT NULL,
  turns       INTEGER NOT NULL,
  spent       INTEGER NOT NULL,
  UNIQUE (tenant, id)
) STRICT;

CREATE INDEX session_due ON session (due) WHERE due IS NOT NULL;

-- Rows lie in the order of their commits and an index finds a session's: clustered by
-- session, the rows of interleaved sessions split pages in half and long ones spill over
-- (measured: 2.5 times the payload on disk instead of 1.2).
CREATE TABLE event (
  session INTEGER NOT NULL, -- session.key; no foreign key, which every insert would look up
  seq     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  format  INTEGER NOT NULL,
  prev    BLOB    NOT NULL, -- the hash of the event before
  body    TEXT    NOT NULL, -- JSON, byte for byte as it was hashed
  PRIMARY KEY (session, seq)
) STRICT;

CREATE TABLE payload (
  tenant TEXT NOT NULL,
  hash   BLOB NOT NULL,
  bytes  BLOB NOT NULL,
  PRIMARY KEY (tenant, hash)
) STRICT;

CREATE TABLE balance (
  tenant  TEXT    NOT NULL,
  scope   TEXT    NOT NULL,
  cap     INTEGER,          -- NULL: none
  settled INTEGER NOT NULL, -- nano-dollars, as all money here
  held    INTEGER NOT NULL,
  PRIMARY KEY (tenant, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE spend (
  tenant        TEXT    NOT NULL,
  day           INTEGER NOT NULL, -- since 1970-01-01, UTC
  user          TEXT    NOT NULL,
  agent_id      TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  calls         INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  amount        INTEGER NOT NULL,
  estimated     INTEGER NOT NULL, -- the part of the amount that is our estimate
  PRIMARY KEY (tenant, day, user, agent_id, model)
) STRICT, WITHOUT ROWID;
