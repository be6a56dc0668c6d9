-- What the audit and alerts keep of people's words can be erased by session, and every
-- session's content by whose it is: those from before there were rows of content get one.

ALTER TABLE audit ADD COLUMN session BLOB; -- NULL: it is about none

UPDATE audit
  SET session = unhex(replace(json_extract(CAST(body AS TEXT), '$.session'), '-', ''))
  WHERE json_valid(CAST(body AS TEXT));

CREATE INDEX audit_session ON audit (tenant, session)
  WHERE content IS NOT NULL AND session IS NOT NULL;

ALTER TABLE alert ADD COLUMN session BLOB; -- NULL: it is about none

UPDATE alert SET session = unhex(replace(json_extract(body, '$.session'), '-', ''))
  WHERE json_valid(body);

CREATE INDEX alert_session ON alert (session, tenant) WHERE session IS NOT NULL;

INSERT OR IGNORE INTO session_content (tenant, session, user, environment, made)
  SELECT tenant, id, user, 'development',
         coalesce((SELECT at FROM event WHERE event.session = session.key AND event.seq = 1),
                  updated)
  FROM session;

-- `erased`: 0 it is there, 1 it is gone, 2 it is gone and pages of the file may still show
-- traces of it, 3 the same while they are being overwritten.
CREATE INDEX session_content_traces ON session_content (erased) WHERE erased > 1;
