-- What every feature stands on.

-- Small facts about this installation: platform name, demo clock shift, role bindings.
CREATE TABLE settings (
  name TEXT PRIMARY KEY,      -- what it is
  value TEXT NOT NULL         -- as text
);

-- Outbox and index of the ledger: a write and its evidence are one transaction.
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
  record_id TEXT NOT NULL UNIQUE,       -- the id inside the record
  what TEXT NOT NULL,                   -- act in the past tense, e.g. request.decided
  at TEXT NOT NULL,                     -- instant
  person_id TEXT,                       -- who; NULL where the platform acted by itself
  department_id TEXT,                   -- for which department
  subject_kind TEXT NOT NULL,           -- kind of thing
  subject_id TEXT NOT NULL,             -- which one
  record TEXT NOT NULL,                 -- canonical JSON, as it stands in the ledger
  ledger_index BIGINT                   -- place in the ledger; NULL until appended
);
CREATE INDEX evidence_by_ledger_index ON evidence (ledger_index);
CREATE INDEX evidence_by_subject ON evidence (subject_kind, subject_id);

-- Work to be done, claimed by one worker at a time.
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,          -- which handler
  lane TEXT NOT NULL,          -- at most one job of a lane runs at a time
  payload TEXT NOT NULL,       -- JSON
  state TEXT NOT NULL,         -- queued, running, done, failed
  attempts BIGINT NOT NULL,    -- how often it was begun
  run_after TEXT NOT NULL,     -- machine instant
  worker TEXT,                 -- who works on it
  lease_until TEXT,            -- machine instant until which the worker is believed alive
  error_code TEXT,             -- why the last attempt failed
  created_at TEXT NOT NULL     -- machine instant
);
CREATE INDEX jobs_by_state ON jobs (state, run_after);
CREATE INDEX jobs_by_lane ON jobs (lane, state);

-- A repeated POST with the same key gives the first reply again.
CREATE TABLE idempotency_keys (
  person_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  route TEXT NOT NULL,         -- method and path
  body_digest TEXT NOT NULL,   -- a different body under the same key is a mistake
  status BIGINT NOT NULL,      -- HTTP status of the first reply
  reply TEXT NOT NULL,         -- its body
  at TEXT NOT NULL,
  PRIMARY KEY (person_id, idempotency_key)
);

-- Rule packs in every version ever loaded: a case goes on under the one it began under.
CREATE TABLE packs (
  id TEXT NOT NULL,
  version TEXT NOT NULL,       -- content digest
  source TEXT NOT NULL,        -- the pack file
  loaded_at TEXT NOT NULL,
  PRIMARY KEY (id, version)
);
