-- The nodes that serve, and whether the departments' exchange stores answer them.

CREATE TABLE nodes (
  id TEXT PRIMARY KEY,                 -- kept in the node's data folder
  version TEXT NOT NULL,               -- of the program
  started_at TEXT NOT NULL,            -- machine instant
  beat_at TEXT NOT NULL,               -- machine instant of the last sign of life
  stopped_at TEXT,                     -- machine instant; NULL while it serves, or if it died
  registry_engine TEXT NOT NULL,       -- sqlite or postgres
  registry_latency_us BIGINT NOT NULL, -- one short question and its answer
  disk_free BIGINT,                    -- bytes of the data folder's file system; NULL where it can't be told
  disk_total BIGINT,
  jobs_running BIGINT NOT NULL,        -- jobs that its workers hold
  streams BIGINT NOT NULL,             -- open streams of changes
  ledger_size BIGINT NOT NULL,         -- records under its last signed head
  ledger_root TEXT,                    -- hex SM3; NULL before the first head
  ledger_at TEXT                       -- instant of that head
);

CREATE TABLE store_checks (
  store_id TEXT PRIMARY KEY REFERENCES stores (id),
  node_id TEXT NOT NULL,               -- who asked
  checked_at TEXT NOT NULL,            -- machine instant
  since TEXT NOT NULL,                 -- machine instant since which the answer is the same
  reachable BIGINT NOT NULL,
  error_code TEXT,                     -- why not
  latency_ms BIGINT NOT NULL
);

-- Acts by what they were, for those who count or look for them.
CREATE INDEX evidence_by_what ON evidence (what, at);
