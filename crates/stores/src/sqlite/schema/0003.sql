-- Alerts, kept in the transaction of the facts that cause them, and a copy for each
-- subscriber until it has it.

CREATE TABLE alert (
  key    INTEGER PRIMARY KEY,
  id     TEXT    NOT NULL UNIQUE, -- follows from the tenant and the alert's own key
  tenant TEXT,                    -- NULL: the installation's
  at     INTEGER NOT NULL,
  body   TEXT    NOT NULL         -- JSON
) STRICT;

CREATE INDEX alert_tenant ON alert (tenant, key);
CREATE INDEX alert_at ON alert (at);

CREATE TABLE delivery (
  alert      INTEGER NOT NULL REFERENCES alert (key),
  subscriber TEXT    NOT NULL,
  standing   INTEGER NOT NULL, -- 0 waiting, 1 delivered, 2 dead
  due        INTEGER NOT NULL, -- while waiting: when somebody should try
  attempts   INTEGER NOT NULL,
  why        TEXT    NOT NULL,
  PRIMARY KEY (alert, subscriber)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_due ON delivery (subscriber, due, alert) WHERE standing = 0;
