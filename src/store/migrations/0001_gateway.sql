CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  channel TEXT NOT NULL,
  account TEXT NOT NULL,
  peer TEXT NOT NULL,
  title TEXT,
  model TEXT,
  -- The model sees messages after this one only; a reset moves it and deletes nothing.
  context_after INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_update ON session (updated_ms DESC, id DESC);

-- AUTOINCREMENT: an id is a cursor of clients, so it is never given out twice.
CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  turn_id TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'tool')),
  parts TEXT NOT NULL,
  -- The text parts again, for search.
  text TEXT NOT NULL,
  provider TEXT,
  metadata TEXT,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_session ON message (session_id, id);

CREATE VIRTUAL TABLE message_fts USING fts5 (
  text, content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_added AFTER INSERT ON message WHEN new.text <> '' BEGIN
  INSERT INTO message_fts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_removed AFTER DELETE ON message WHEN old.text <> '' BEGIN
  INSERT INTO message_fts (message_fts, rowid, text) VALUES ('delete', old.id, old.text);
END;

-- session_id is NULL for a turn without a session (an OpenAI request that names no user).
CREATE TABLE turn (
  id TEXT PRIMARY KEY,
  session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
  agent TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
  stop_reason TEXT,
  -- What chat.send answers: a result or an error, as JSON.
  outcome TEXT,
  -- The merged event log as JSON; NULL once its time to be replayed is over.
  events TEXT,
  rating INTEGER,
  rating_note TEXT,
  started_ms INTEGER NOT NULL,
  finished_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_by_session ON turn (session_id);
CREATE INDEX turn_running ON turn (state) WHERE state = 'running';
CREATE INDEX turn_by_finish ON turn (finished_ms) WHERE events IS NOT NULL;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  turn_id TEXT NOT NULL,
  session_key TEXT,
  agent TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  -- NULL where the model's price is not known.
  cost_usd REAL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_by_time ON usage (created_ms);

CREATE TABLE idempotency (
  session_key TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  turn_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (session_key, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_ms);

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  -- A JSON list of the agents it reaches; NULL for all of them.
  agents TEXT,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  last_used_ms INTEGER,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Wrong tokens by peer address, so that a restart forgives nobody.
CREATE TABLE auth_failure (
  address TEXT PRIMARY KEY,
  failed_ms TEXT NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  name TEXT,
  token_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
