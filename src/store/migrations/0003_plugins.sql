-- What of each plugin was approved, and what it said of itself then. One that is not what its row says does not run.
CREATE TABLE plugin (
  name TEXT PRIMARY KEY,
  -- Of the module's file, and of the manifest's; '' where there is none.
  sha256 TEXT NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  -- What it asked for, as a JSON list.
  asks TEXT NOT NULL,
  -- What the module answered to describe, checked, as JSON.
  described TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  approved_ms INTEGER NOT NULL,
  -- 1 where an operator took it out of service.
  is_unloaded INTEGER NOT NULL DEFAULT 0 CHECK (is_unloaded IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The stores of plugins. A scope is whose data it is: a session's key, or "agent:" and an agent's name.
CREATE TABLE plugin_value (
  plugin TEXT NOT NULL,
  scope TEXT NOT NULL,
  store TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (plugin, scope, store, key)
) STRICT, WITHOUT ROWID;

-- How much each store holds, as a sum over it would hold up everybody.
CREATE TABLE plugin_store (
  plugin TEXT NOT NULL,
  scope TEXT NOT NULL,
  store TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (plugin, scope, store)
) STRICT, WITHOUT ROWID;
CREATE INDEX plugin_store_by_scope ON plugin_store (scope);

-- Deliveries of webhooks that were taken in, so that none is taken in twice.
CREATE TABLE webhook_delivery (
  channel TEXT NOT NULL,
  -- sha256 of what makes a delivery the same one.
  hash TEXT NOT NULL,
  -- 0 while it is worked on, which a crash leaves behind.
  is_done INTEGER NOT NULL CHECK (is_done IN (0, 1)),
  -- The turn that it became, whose answer a repetition sends where sending was what failed.
  turn_id TEXT,
  -- The platform's request, where it was acknowledged before the turn: nobody will send it again.
  body BLOB,
  -- How many gateways have begun with it since it was acknowledged: what ends each of them must not be begun for ever.
  attempts INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (channel, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_delivery_by_time ON webhook_delivery (created_ms);
