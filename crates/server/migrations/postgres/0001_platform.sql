-- What every feature stands on.

-- Small facts about this installation: platform name, demo clock shift, role bindings.
CREATE TABLE settings (
  name TEXT COLLATE "C" PRIMARY KEY,      -- what it is
  value TEXT COLLATE "C" NOT NULL         -- as text
);

-- Outbox and index of the ledger: a write and its evidence are one transaction.
CREATE TABLE evidence (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of arrival
  record_id TEXT COLLATE "C" NOT NULL UNIQUE,       -- the id inside the record
  what TEXT COLLATE "C" NOT NULL,                   -- act in the past tense, e.g. request.decided
  at TEXT COLLATE "C" NOT NULL,                     -- instant
  person_id TEXT COLLATE "C",                       -- who; NULL where the platform acted by itself
  department_id TEXT COLLATE "C",                   -- for which department
  subject_kind TEXT COLLATE "C" NOT NULL,           -- kind of thing
  subject_id TEXT COLLATE "C" NOT NULL,             -- which one
  record TEXT COLLATE "C" NOT NULL,                 -- canonical JSON, as it stands in the ledger
  ledger_index BIGINT                   -- place in the ledger; NULL until appended
);
CREATE INDEX evidence_by_ledger_index ON evidence (ledger_index);
CREATE INDEX evidence_by_subject ON evidence (subject_kind, subject_id);

-- Work to be done, claimed by one worker at a time.
CREATE TABLE jobs (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,          -- which handler
  lane TEXT COLLATE "C" NOT NULL,          -- at most one job of a lane runs at a time
  payload TEXT COLLATE "C" NOT NULL,       -- JSON
  state TEXT COLLATE "C" NOT NULL,         -- queued, running, done, failed
  attempts BIGINT NOT NULL,    -- how often it was begun
  run_after TEXT COLLATE "C" NOT NULL,     -- machine instant
  worker TEXT COLLATE "C",                 -- who works on it
  lease_until TEXT COLLATE "C",            -- machine instant until which the worker is believed alive
  error_code TEXT COLLATE "C",             -- why the last attempt failed
  created_at TEXT COLLATE "C" NOT NULL     -- machine instant
);
CREATE INDEX jobs_by_state ON jobs (state, run_after);
CREATE INDEX jobs_by_lane ON jobs (lane, state);

-- A repeated POST with the same key gives the first reply again.
CREATE TABLE idempotency_keys (
  person_id TEXT COLLATE "C" NOT NULL,
  idempotency_key TEXT COLLATE "C" NOT NULL,
  route TEXT COLLATE "C" NOT NULL,         -- method and path
  body_digest TEXT COLLATE "C" NOT NULL,   -- a different body under the same key is a mistake
  status BIGINT NOT NULL,      -- HTTP status of the first reply
  reply TEXT COLLATE "C" NOT NULL,         -- its body
  at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (person_id, idempotency_key)
);

-- Rule packs in every version ever loaded: a case goes on under the one it began under.
CREATE TABLE packs (
  id TEXT COLLATE "C" NOT NULL,
  version TEXT COLLATE "C" NOT NULL,       -- content digest
  source TEXT COLLATE "C" NOT NULL,        -- the pack file
  loaded_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (id, version)
);
