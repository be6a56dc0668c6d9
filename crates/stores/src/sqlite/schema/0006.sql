-- Who may come in over the network, and requests that clients may send again.

CREATE TABLE member (
  tenant TEXT    NOT NULL,
  user   TEXT    NOT NULL,
  role   TEXT    NOT NULL,
  team   TEXT,
  made   INTEGER NOT NULL,
  PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
  id     TEXT    NOT NULL PRIMARY KEY, -- the public half, which alone is looked up
  hash   BLOB    NOT NULL,             -- of the whole key
  tenant TEXT    NOT NULL,
  user   TEXT    NOT NULL,
  name   TEXT    NOT NULL,
  grants TEXT    NOT NULL,             -- JSON
  made   INTEGER NOT NULL,
  ends   INTEGER                       -- NULL: it does not
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_tenant ON api_key (tenant, id);

CREATE TABLE request (
  tenant  TEXT    NOT NULL,
  key     TEXT    NOT NULL, -- the client's name for it, with the caller's before it
  request BLOB    NOT NULL, -- what it is, as a hash
  memo    TEXT    NOT NULL, -- what whoever came first was going to do
  made    INTEGER NOT NULL,
  until   INTEGER NOT NULL, -- while somebody does it; 0: nobody does
  status  INTEGER,          -- NULL: there is no answer yet
  body    BLOB,
  PRIMARY KEY (tenant, key)
) STRICT;

CREATE INDEX request_made ON request (made);
