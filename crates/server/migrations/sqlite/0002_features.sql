-- Directory: departments, people, posts, exchange stores.

CREATE TABLE departments (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,           -- full name
  short_name TEXT NOT NULL,            -- as written in lists
  credit_code TEXT NOT NULL UNIQUE,    -- GB 32100
  division_code TEXT NOT NULL,         -- GB/T 2260, six digits
  level TEXT NOT NULL,                 -- city: the platform's own level; county: the level below
  created_at TEXT NOT NULL
);

CREATE TABLE people (
  id TEXT PRIMARY KEY,
  login_name TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  department_id TEXT NOT NULL REFERENCES departments (id),
  phone TEXT NOT NULL,
  password_hash TEXT NOT NULL,         -- Argon2id
  contractor BIGINT NOT NULL,          -- 1: may run, never approve
  active BIGINT NOT NULL,
  failures BIGINT NOT NULL,            -- wrong passwords in a row
  locked_until TEXT,                   -- instant
  created_at TEXT NOT NULL
);

CREATE TABLE posts (
  person_id TEXT NOT NULL REFERENCES people (id),
  role TEXT NOT NULL,                  -- see domain::access::Role
  PRIMARY KEY (person_id, role)
);

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,         -- SHA-256 of the cookie
  person_id TEXT NOT NULL REFERENCES people (id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
);

CREATE TABLE stores (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL REFERENCES departments (id),
  name TEXT NOT NULL,
  url TEXT NOT NULL,                   -- may hold credentials: never shown, never logged
  created_at TEXT NOT NULL
);

CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL,         -- who is told
  at TEXT NOT NULL,
  kind TEXT NOT NULL,                  -- e.g. request.filed
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  facts TEXT NOT NULL                  -- JSON of names and dates for the sentence
);
CREATE INDEX notices_by_department ON notices (department_id, at);

-- Catalogue.

CREATE TABLE entries (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL REFERENCES departments (id),
  name TEXT NOT NULL,                  -- of the newest version
  class_code TEXT NOT NULL,            -- class of the resource code
  sequence BIGINT NOT NULL,            -- sequence of the resource code within its class
  active_no BIGINT,                    -- published version; NULL until one is
  created_at TEXT NOT NULL,
  UNIQUE (class_code, sequence),
  UNIQUE (department_id, name)
);

CREATE TABLE versions (
  id TEXT PRIMARY KEY,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  no BIGINT NOT NULL,                  -- 1, 2, ...
  content TEXT NOT NULL,               -- JSON of domain::catalogue::EntryContent
  state_code TEXT NOT NULL,            -- draft, submitted, returned, published, superseded
  state TEXT NOT NULL,                 -- JSON of domain::catalogue::VersionState
  submitted_by TEXT,                   -- person
  published_at TEXT,                   -- instant
  created_at TEXT NOT NULL,
  UNIQUE (entry_id, no)
);
CREATE INDEX versions_by_state ON versions (state_code);

CREATE TABLE imports (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  at TEXT NOT NULL,
  entries_total BIGINT NOT NULL,
  faults TEXT NOT NULL,                -- JSON of the cell faults
  workbook TEXT NOT NULL               -- file digest in the file store
);

CREATE TABLE mountings (
  id TEXT PRIMARY KEY,
  entry_id TEXT NOT NULL UNIQUE REFERENCES entries (id),
  store_id TEXT NOT NULL REFERENCES stores (id),
  table_name TEXT NOT NULL,
  columns TEXT NOT NULL,               -- JSON of the mapped columns, in the order of the data items
  key_columns TEXT NOT NULL,           -- JSON of column names
  pooled BIGINT NOT NULL,              -- 1 once a collection has succeeded
  rows_total BIGINT,                   -- in the pool after the last collection
  last_arrival_at TEXT,
  created_at TEXT NOT NULL
);

-- Cases, requests, grants.

CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,         -- e.g. SQ-2026-0921-0001
  subject_kind TEXT NOT NULL,          -- request, ...
  subject_id TEXT NOT NULL,
  pack_id TEXT NOT NULL,
  pack_version TEXT NOT NULL,
  process_id TEXT NOT NULL,
  requester_department_id TEXT NOT NULL,
  provider_department_id TEXT NOT NULL,
  filed_by TEXT NOT NULL,              -- person
  opening TEXT NOT NULL,               -- JSON: what the case began with
  revision BIGINT NOT NULL,            -- number of events; a save fails if somebody was faster
  opened_at TEXT NOT NULL,
  ended_at TEXT,
  outcome TEXT
);
CREATE INDEX cases_by_subject ON cases (subject_kind, subject_id);

CREATE TABLE case_events (
  case_id TEXT NOT NULL REFERENCES cases (id),
  seq BIGINT NOT NULL,                 -- 1, 2, ...
  event TEXT NOT NULL,                 -- JSON of domain::case::CaseEvent
  at TEXT NOT NULL,
  PRIMARY KEY (case_id, seq)
);

-- The open steps of open cases, kept with the events in one transaction: what the desks show.
CREATE TABLE tasks (
  case_id TEXT NOT NULL REFERENCES cases (id),
  step_id TEXT NOT NULL,
  department_id TEXT NOT NULL,         -- who holds it
  role TEXT NOT NULL,                  -- role of the pack
  opened_at TEXT NOT NULL,
  due_on TEXT,                         -- civil date; NULL where the law sets none
  PRIMARY KEY (case_id, step_id)
);
CREATE INDEX tasks_by_department ON tasks (department_id, due_on);

CREATE TABLE sharing_requests (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  version_no BIGINT NOT NULL,
  requester_department_id TEXT NOT NULL,
  provider_department_id TEXT NOT NULL,
  filed_by TEXT NOT NULL,
  content TEXT NOT NULL,               -- JSON of domain::request::RequestContent
  created_at TEXT NOT NULL
);
CREATE INDEX sharing_requests_by_requester ON sharing_requests (requester_department_id, created_at);
CREATE INDEX sharing_requests_by_entry ON sharing_requests (entry_id);

CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  requester_department_id TEXT NOT NULL,
  provider_department_id TEXT NOT NULL,
  state_code TEXT NOT NULL,
  content TEXT NOT NULL,               -- JSON of domain::grant::Grant
  created_at TEXT NOT NULL
);
CREATE INDEX grants_by_entry ON grants (entry_id, state_code);
CREATE INDEX grants_by_case ON grants (case_id);

-- Exchange.

CREATE TABLE subscriptions (
  id TEXT PRIMARY KEY,
  grant_id TEXT NOT NULL UNIQUE REFERENCES grants (id),
  entry_id TEXT NOT NULL,
  store_id TEXT NOT NULL REFERENCES stores (id),
  table_name TEXT NOT NULL,            -- in the requester's exchange store
  state_code TEXT NOT NULL,            -- active, paused, ended
  pause_reason TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (store_id, table_name)
);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,                  -- collection (source -> pool) or delivery (pool -> target)
  entry_id TEXT NOT NULL,
  subscription_id TEXT,                -- for deliveries
  collection_run_id TEXT,              -- the collection that a delivery followed
  provider_department_id TEXT NOT NULL,
  requester_department_id TEXT,        -- for deliveries
  state_code TEXT NOT NULL,            -- queued, running, succeeded, failed
  started_by TEXT,                     -- person; NULL where the platform did
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  rows_read BIGINT NOT NULL,
  rows_delivered BIGINT NOT NULL,
  rows_unchanged BIGINT NOT NULL,
  rows_out_of_scope BIGINT NOT NULL,
  rows_quarantined BIGINT NOT NULL,
  rows_inserted BIGINT NOT NULL,
  rows_updated BIGINT NOT NULL,
  rows_deleted BIGINT NOT NULL,
  source_digest TEXT,
  target_digest TEXT,
  digest_rows BIGINT,
  failure TEXT,                        -- JSON: code, side, next step
  steps TEXT NOT NULL                  -- JSON list of what was done when
);
CREATE INDEX runs_by_created_at ON runs (created_at);
CREATE INDEX runs_by_entry ON runs (entry_id, created_at);

CREATE TABLE files (
  digest TEXT PRIMARY KEY,             -- SHA-256
  bytes BIGINT NOT NULL,
  created_at TEXT NOT NULL
);
