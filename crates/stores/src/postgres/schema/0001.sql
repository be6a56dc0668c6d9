-- Amounts, tokens and sequence numbers are unsigned 64-bit numbers in signed ones, but where
-- sums are kept; instants are milliseconds since 1970 (UTC); hashes are BLAKE3, 32 bytes.
-- Texts that are compared are in the order of their bytes, whatever the database's language.

CREATE TABLE session (
  key           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- for the rows below; never leaves the database
  tenant        text    COLLATE "C" NOT NULL,
  id            uuid    NOT NULL,
  seq           bigint  NOT NULL, -- the last event
  hash          bytea   NOT NULL, -- its hash: a cut-off tail shows
  epoch         bigint  NOT NULL DEFAULT 0,
  owner         text    NOT NULL DEFAULT '',
  lease_until   bigint  NOT NULL DEFAULT 0, -- 0: nobody's
  updated       bigint  NOT NULL DEFAULT 0,
  status        integer NOT NULL DEFAULT 0, -- 0 idle, 1 running, 2 parked, 3 finished, 4 failed, 5 cancelled
  due           bigint,
  title         text    NOT NULL DEFAULT '',
  agent_id      text    NOT NULL DEFAULT '',
  user_id       text    NOT NULL DEFAULT '',
  turns         bigint  NOT NULL DEFAULT 0,
  spent         bigint  NOT NULL DEFAULT 0,
  waits_scope   text    COLLATE "C", -- what a parked session waits for: so much room in a shared scope
  waits_measure integer, -- 0 money, 1 tokens, 2 requests
  waits_needed  bigint,
  UNIQUE (tenant, id)
) WITH (fillfactor = 80); -- room beside a row for its next version

CREATE INDEX session_due ON session (due, key) WHERE due IS NOT NULL;
CREATE INDEX session_waits ON session (tenant, waits_scope) WHERE waits_scope IS NOT NULL;

CREATE TABLE event (
  session bigint   NOT NULL, -- session.key; no foreign key, which every insert would look up
  seq     bigint   NOT NULL,
  at      bigint   NOT NULL,
  format  smallint NOT NULL,
  prev    bytea    NOT NULL, -- the hash of the event before
  body    text     NOT NULL, -- JSON, byte for byte as it was hashed
  PRIMARY KEY (session, seq)
);

-- Payloads belong to a session, or to all of a tenant's (then the owner is the nil UUID).
CREATE TABLE payload (
  tenant text    COLLATE "C" NOT NULL,
  owner  uuid    NOT NULL,
  hash   bytea   NOT NULL,
  sealed boolean NOT NULL, -- the hash is that of what was sealed
  bytes  bytea   NOT NULL,
  PRIMARY KEY (tenant, owner, hash)
);

-- A scope's key is text: `task/…` for a run, `<name>/<subject>/<window>` for what is shared,
-- without a window for a cap that goes for all of them.
CREATE TABLE balance (
  tenant           text    COLLATE "C" NOT NULL,
  scope            text    COLLATE "C" NOT NULL,
  pinned           boolean NOT NULL DEFAULT false, -- its cap is not configuration's
  cap              bigint, -- NULL: none; nano-dollars, as all money here
  settled          bigint  NOT NULL DEFAULT 0,
  held             bigint  NOT NULL DEFAULT 0,
  cap_tokens       bigint,
  settled_tokens   bigint  NOT NULL DEFAULT 0,
  held_tokens      bigint  NOT NULL DEFAULT 0,
  cap_requests     bigint,
  settled_requests bigint  NOT NULL DEFAULT 0,
  held_requests    bigint  NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, scope)
) WITH (fillfactor = 70);

-- Sums that SQL adds up; they stop at the largest number of 64 bits.
CREATE TABLE spend (
  tenant        text    COLLATE "C" NOT NULL,
  day           bigint  NOT NULL, -- since 1970-01-01, UTC
  user_id       text    COLLATE "C" NOT NULL,
  agent_id      text    COLLATE "C" NOT NULL,
  model         text    COLLATE "C" NOT NULL,
  prices        text    COLLATE "C" NOT NULL, -- version of the catalogue; empty: nobody knew a price
  calls         numeric(20, 0) NOT NULL,
  input_tokens  numeric(20, 0) NOT NULL,
  output_tokens numeric(20, 0) NOT NULL,
  amount        numeric(20, 0) NOT NULL,
  estimated     numeric(20, 0) NOT NULL, -- the part of the amount that is our estimate
  PRIMARY KEY (tenant, day, user_id, agent_id, model, prices)
) WITH (fillfactor = 70);

-- Alerts, kept in the transaction of the facts that cause them, and a copy for each
-- subscriber until it has it.
CREATE TABLE alert (
  key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id      text   COLLATE "C" NOT NULL UNIQUE, -- follows from the tenant and the alert's own key
  tenant  text   COLLATE "C", -- NULL: the installation's
  at      bigint NOT NULL,
  body    text   NOT NULL, -- JSON
  session uuid   -- NULL: it is about none
);

CREATE INDEX alert_tenant ON alert (tenant, key);
CREATE INDEX alert_at ON alert (at);
CREATE INDEX alert_session ON alert (session, tenant) WHERE session IS NOT NULL;

CREATE TABLE delivery (
  alert      bigint  NOT NULL REFERENCES alert (key) ON DELETE CASCADE,
  subscriber text    COLLATE "C" NOT NULL,
  standing   integer NOT NULL, -- 0 waiting, 1 delivered, 2 dead
  due        bigint  NOT NULL, -- while waiting: when somebody should try
  attempts   bigint  NOT NULL,
  why        text    NOT NULL,
  PRIMARY KEY (alert, subscriber)
);

CREATE INDEX delivery_due ON delivery (subscriber, due, alert) WHERE standing = 0;

-- The audit: a chain of entries for each tenant. What people wrote stands beside an entry,
-- so that it can be erased and the chain still verifies.
CREATE TABLE audit (
  tenant      text   COLLATE "C" NOT NULL,
  seq         bigint NOT NULL, -- from 1, without a gap behind the chain's beginning
  at          bigint NOT NULL,
  environment text   COLLATE "C" NOT NULL,
  session     uuid,  -- NULL: it is about none
  prev        bytea  NOT NULL,
  body        bytea  NOT NULL,
  content     bytea, -- NULL: there was none, or it was erased
  PRIMARY KEY (tenant, seq)
);

CREATE INDEX audit_content ON audit (tenant, environment, at) WHERE content IS NOT NULL;
CREATE INDEX audit_session ON audit (tenant, session)
  WHERE content IS NOT NULL AND session IS NOT NULL;

CREATE TABLE audit_chain (
  tenant     text   COLLATE "C" PRIMARY KEY,
  first_seq  bigint NOT NULL, -- entries up to this one were removed
  first_hash bytea  NOT NULL,
  last_seq   bigint NOT NULL,
  last_hash  bytea  NOT NULL
) WITH (fillfactor = 50);

-- Whose content a session is, and the key that it is sealed with, wrapped by one that is not
-- here. What was erased stays as a row that says so.
CREATE TABLE session_content (
  tenant      text    COLLATE "C" NOT NULL,
  session     uuid    NOT NULL,
  user_id     text    COLLATE "C" NOT NULL,
  environment text    COLLATE "C" NOT NULL,
  made        bigint  NOT NULL,
  wrapped     bytea,  -- NULL: its content is not sealed
  erased      integer NOT NULL DEFAULT 0, -- 0: it is there; 1: it is gone; 2: and files may show traces of it; 3: which are being overwritten
  PRIMARY KEY (tenant, session)
);

CREATE INDEX session_content_user ON session_content (tenant, user_id) WHERE erased = 0;
CREATE INDEX session_content_made ON session_content (tenant, environment, made)
  WHERE erased = 0;
CREATE INDEX session_content_traces ON session_content (erased) WHERE erased > 1;

-- Who may come in over the network, and requests that clients may send again.
CREATE TABLE member (
  tenant  text   COLLATE "C" NOT NULL,
  user_id text   COLLATE "C" NOT NULL,
  role    text   NOT NULL,
  team    text,
  made    bigint NOT NULL,
  PRIMARY KEY (tenant, user_id)
);

CREATE TABLE api_key (
  id      text   COLLATE "C" PRIMARY KEY, -- the public half, which alone is looked up
  hash    bytea  NOT NULL,                -- of the whole key
  tenant  text   COLLATE "C" NOT NULL,
  user_id text   COLLATE "C" NOT NULL,
  name    text   NOT NULL,
  grants  text   NOT NULL,                -- JSON
  made    bigint NOT NULL,
  ends    bigint                          -- NULL: it does not
);

CREATE INDEX api_key_tenant ON api_key (tenant, id);

CREATE TABLE request (
  tenant  text    COLLATE "C" NOT NULL,
  key     text    COLLATE "C" NOT NULL, -- the client's name for it, with the caller's before it
  request bytea   NOT NULL, -- what it is, as a hash
  memo    text    NOT NULL, -- what whoever came first was going to do
  made    bigint  NOT NULL,
  until   bigint  NOT NULL, -- while somebody does it; 0: nobody does
  status  integer,          -- NULL: there is no answer yet
  body    bytea,
  PRIMARY KEY (tenant, key)
);

CREATE INDEX request_made ON request (made);
