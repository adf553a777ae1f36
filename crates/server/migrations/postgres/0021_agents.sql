-- Agents 前置机 in the departments' own networks. Instants are the machine's.
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL REFERENCES departments (id),
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  code_hash TEXT,              -- SHA-256 of the one-time code's secret; NULL once it was used
  code_until TEXT,             -- until when the code is good
  enrolled_at TEXT,            -- when its first certificate was issued
  fingerprint TEXT,            -- SHA-256 of the certificate that it shows
  next_fingerprint TEXT,       -- of the one that was issued in its place and hasn't been shown yet
  certificate_until TEXT,      -- when the newer of them ends
  revoked_at TEXT,             -- when it was shut out
  node_id TEXT,                -- the node that it is connected to; NULL while it is to none
  seen_at TEXT,                -- when it last gave a sign of life
  version TEXT,                -- of its program
  spool_bytes BIGINT,          -- what waits on its disk
  spool_bytes_max BIGINT,      -- what may wait there
  transfers BIGINT,            -- readings and writings under way
  stores TEXT                  -- the stores beside it, as JSON
);
CREATE UNIQUE INDEX agents_fingerprint ON agents (fingerprint);
CREATE UNIQUE INDEX agents_next_fingerprint ON agents (next_fingerprint);
