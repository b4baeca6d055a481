-- Whose memory something is: one sender's with an agent; an agent's own, for all of its senders (sender ''); or what an
-- agent put into a shared namespace.
CREATE TABLE memory_owner (
  id INTEGER PRIMARY KEY,
  agent TEXT NOT NULL CHECK (agent <> ''),
  -- "channel:account:peer"
  sender TEXT NOT NULL,
  namespace TEXT NOT NULL CHECK (namespace = '' OR sender = ''),
  UNIQUE (agent, sender, namespace)
) STRICT;

-- Everything that a search can find. AUTOINCREMENT: the number is in files beside the database, so it is never given out
-- twice.
CREATE TABLE memory (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner_id INTEGER NOT NULL REFERENCES memory_owner (id),
  kind TEXT NOT NULL CHECK (kind IN ('message', 'tool_result', 'summary', 'fact', 'note')),
  session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
  -- Of what message it is, or is a piece.
  message_id INTEGER REFERENCES message (id) ON DELETE CASCADE,
  -- NULL where it is the whole text of the message.
  text TEXT,
  -- sha256 of the text, its first 16 bytes: the same text has the same vector.
  hash BLOB NOT NULL,
  -- 0 to 1, by whoever added it.
  importance REAL NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('conversation', 'user', 'agent', 'model', 'import')),
  created_ms INTEGER NOT NULL,
  -- When a search last gave it to a model, and how often.
  used_ms INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  -- What it was where it was exported, as JSON, where its session is not here (src/memory/transfer); NULL for all others.
  origin TEXT
) STRICT;
CREATE INDEX memory_by_owner ON memory (owner_id, kind, id);
CREATE INDEX memory_by_session ON memory (session_id, kind, id);
CREATE INDEX memory_by_message ON memory (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX memory_by_hash ON memory (hash, created_ms);

CREATE TABLE memory_tag (
  memory_id INTEGER NOT NULL REFERENCES memory (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (memory_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX memory_tag_by_tag ON memory_tag (tag, memory_id);

-- The words of a row, folded (src/memory/text/fold.ts), without the text itself.
CREATE VIRTUAL TABLE memory_fts USING fts5 (
  -- "o" and the owner's number: a search of one owner's words need not read everybody's.
  owner, body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
-- Two parts are worth merging: a search of 5,000 messages takes a fifth of the time in one part as in 16.
INSERT INTO memory_fts (memory_fts, rank) VALUES ('usermerge', 2);
CREATE TRIGGER memory_removed AFTER DELETE ON memory BEGIN
  DELETE FROM memory_fts WHERE rowid = old.id;
END;

-- What is known, as triples. A later value of the same subject and predicate supersedes; nothing is lost.
CREATE TABLE fact (
  memory_id INTEGER PRIMARY KEY REFERENCES memory (id) ON DELETE CASCADE,
  uid TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL CHECK (type IN ('fact', 'relationship', 'attribute')),
  subject TEXT NOT NULL,
  predicate TEXT NOT NULL,
  object TEXT NOT NULL,
  -- Its row's, set by the trigger: every sender has a name.
  owner INTEGER,
  -- Of subject and predicate, folded: what supersedes what.
  key TEXT NOT NULL,
  confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  -- Where it was said; NULL once that message is gone.
  said_in INTEGER REFERENCES message (id) ON DELETE SET NULL,
  learned_ms INTEGER NOT NULL,
  superseded_ms INTEGER,
  superseded_by TEXT,
  -- The uid of another fact of weight that says otherwise, until somebody says which holds.
  disputes TEXT
) STRICT;
CREATE INDEX fact_by_key ON fact (owner, key) WHERE superseded_ms IS NULL;
CREATE TRIGGER fact_added AFTER INSERT ON fact BEGIN
  UPDATE fact SET owner = (SELECT owner_id FROM memory WHERE id = new.memory_id) WHERE memory_id = new.memory_id;
END;
CREATE INDEX fact_by_message ON fact (said_in) WHERE said_in IS NOT NULL;

-- Older stretches of a session in few words. The messages stay.
CREATE TABLE summary (
  memory_id INTEGER PRIMARY KEY REFERENCES memory (id) ON DELETE CASCADE,
  session_id INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  first_message INTEGER NOT NULL,
  last_message INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  -- "provider/model", or "sentences" where they were picked without one.
  made_by TEXT NOT NULL
) STRICT;
-- The next one that is not within a wider one is found at once.
CREATE INDEX summary_by_session ON summary (session_id, first_message, last_message DESC, memory_id DESC);

-- How far what happens in the background has come: "indexed" and the last message's id, and the like.
CREATE TABLE memory_progress (
  name TEXT PRIMARY KEY,
  message_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One embedder's vectors. A change of embedder fills another set, and both are searched until it is full. AUTOINCREMENT:
-- the number is the name of a folder, too.
CREATE TABLE vector_set (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- What made them, with all that changes them: "hash:1:384", "openai:text-embedding-3-small:1536".
  embedder TEXT NOT NULL,
  dim INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('filling', 'serving', 'retired')),
  -- How many vectors it has, and the sum of their digests modulo 2^62: what the flat files are held to. By the triggers.
  rows INTEGER NOT NULL DEFAULT 0,
  digest INTEGER NOT NULL DEFAULT 0,
  -- dim float32: what is taken from cold rows before they become bits; NULL before there are any.
  mean BLOB,
  created_ms INTEGER NOT NULL
) STRICT;

-- place = set_id * 2^33 + (1 << 32 where it is cold) + slot
CREATE TABLE vector (
  place INTEGER PRIMARY KEY,
  memory_id INTEGER NOT NULL REFERENCES memory (id) ON DELETE CASCADE,
  -- 0 hot, 1 warm, 2 cold
  tier INTEGER NOT NULL,
  -- Of what the flat files have of it, as kernel_digest makes it, modulo 2^62.
  digest INTEGER NOT NULL,
  -- dim float32, little-endian
  vector BLOB NOT NULL
) STRICT;
CREATE INDEX vector_by_memory ON vector (memory_id);

-- Places that the flat files do not have yet as they are here, for as long as it takes to say so. AUTOINCREMENT: who has
-- read up to a number misses none.
CREATE TABLE vector_change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  place INTEGER NOT NULL
) STRICT;
CREATE TRIGGER vector_added AFTER INSERT ON vector BEGIN
  INSERT INTO vector_change (place) VALUES (new.place);
  UPDATE vector_set SET rows = rows + 1, digest = (digest + new.digest) & 4611686018427387903
    WHERE id = new.place >> 33;
END;
CREATE TRIGGER vector_gone AFTER DELETE ON vector BEGIN
  INSERT INTO vector_change (place) VALUES (old.place);
  UPDATE vector_set SET rows = rows - 1, digest = (digest - old.digest) & 4611686018427387903
    WHERE id = old.place >> 33;
END;
CREATE TRIGGER vector_moved AFTER UPDATE OF place, tier, digest ON vector BEGIN
  INSERT INTO vector_change (place) VALUES (old.place);
  INSERT INTO vector_change (place) SELECT new.place WHERE new.place <> old.place;
  UPDATE vector_set SET digest = (digest - old.digest + new.digest) & 4611686018427387903
    WHERE id = new.place >> 33;
END;

-- What is forgotten leaves its message in place, with other text.
CREATE TRIGGER message_changed AFTER UPDATE OF text ON message BEGIN
  INSERT INTO message_fts (message_fts, rowid, text)
    SELECT 'delete', old.id, old.text WHERE old.text <> '';
  INSERT INTO message_fts (rowid, text) SELECT new.id, new.text WHERE new.text <> '';
END;

-- A word that is deleted stays in its segment of an index until that is merged: "gone" is 1 where that is to be done.
-- (secure-delete, which does it at once, is nothing to an index without content, and takes 7 ms a row of a large one.)
CREATE TRIGGER memory_words_gone AFTER DELETE ON memory BEGIN
  INSERT OR REPLACE INTO memory_progress VALUES ('gone', 1);
END;
CREATE TRIGGER message_words_gone AFTER DELETE ON message BEGIN
  INSERT OR REPLACE INTO memory_progress VALUES ('gone', 1);
END;
CREATE TRIGGER message_words_changed AFTER UPDATE OF text ON message BEGIN
  INSERT OR REPLACE INTO memory_progress VALUES ('gone', 1);
END;
