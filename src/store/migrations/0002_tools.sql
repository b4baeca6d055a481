-- One row a call of a tool. A call with an effect has its row before the effect, and its outcome after it.
CREATE TABLE tool_call (
  id TEXT PRIMARY KEY,
  turn_id TEXT,
  session_key TEXT,
  agent TEXT NOT NULL,
  tool TEXT NOT NULL,
  -- What it would do, as a JSON list of targets.
  targets TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('allow', 'deny')),
  -- The rule, the grant or the person that decided.
  decided_by TEXT NOT NULL,
  -- NULL while it runs, and for ever where a crash ended it.
  outcome TEXT CHECK (outcome IN ('ok', 'error', 'denied', 'aborted')),
  duration_ms REAL,
  output_bytes INTEGER,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_call_by_time ON tool_call (created_ms);

-- What somebody allowed for more than once. session_key is NULL where it holds for all sessions of the agent.
CREATE TABLE tool_grant (
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  session_key TEXT,
  tool TEXT NOT NULL,
  -- Of the targets; another path, host or word is another grant.
  hash TEXT NOT NULL,
  summary TEXT NOT NULL,
  given_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_grant_by_hash ON tool_grant (hash);

-- Results that were too long for the conversation, whole.
CREATE TABLE tool_result (
  handle TEXT PRIMARY KEY,
  -- The session's key; only its own turns find it.
  scope TEXT NOT NULL,
  tool TEXT NOT NULL,
  content TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_result_by_time ON tool_result (created_ms);
