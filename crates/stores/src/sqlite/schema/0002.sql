-- Caps in money, tokens and requests, on scopes that sessions share; spend by version of
-- the prices. A scope's key is text: `task/…` for a run, `<name>/<subject>/<window>` for
-- what is shared, without a window for a cap that goes for all of them.

ALTER TABLE balance ADD COLUMN cap_tokens       INTEGER; -- NULL: none
ALTER TABLE balance ADD COLUMN settled_tokens   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN held_tokens      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN cap_requests     INTEGER;
ALTER TABLE balance ADD COLUMN settled_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN held_requests    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN pinned           INTEGER NOT NULL DEFAULT 0; -- 1: not configuration's

-- What a parked session waits for: so much room in a shared scope.
ALTER TABLE session ADD COLUMN waits_scope   TEXT;
ALTER TABLE session ADD COLUMN waits_measure INTEGER; -- 0 money, 1 tokens, 2 requests
ALTER TABLE session ADD COLUMN waits_needed  INTEGER;

CREATE INDEX session_waits ON session (tenant, waits_scope) WHERE waits_scope IS NOT NULL;

CREATE TABLE spend_by_price (
  tenant        TEXT    NOT NULL,
  day           INTEGER NOT NULL, -- since 1970-01-01, UTC
  user          TEXT    NOT NULL,
  agent_id      TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  prices        TEXT    NOT NULL, -- version of the catalogue; empty: nobody knew a price
  calls         INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  amount        INTEGER NOT NULL,
  estimated     INTEGER NOT NULL, -- the part of the amount that is our estimate
  PRIMARY KEY (tenant, day, user, agent_id, model, prices)
) STRICT, WITHOUT ROWID;

INSERT INTO spend_by_price
  SELECT tenant, day, user, agent_id, model, '', calls, input_tokens, output_tokens, amount,
         estimated FROM spend;

DROP TABLE spend;
ALTER TABLE spend_by_price RENAME TO spend;
