-- Directory: departments, people, posts, exchange stores.

CREATE TABLE departments (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE,           -- full name
  short_name TEXT COLLATE "C" NOT NULL,            -- as written in lists
  credit_code TEXT COLLATE "C" NOT NULL UNIQUE,    -- GB 32100
  division_code TEXT COLLATE "C" NOT NULL,         -- GB/T 2260, six digits
  level TEXT COLLATE "C" NOT NULL,                 -- city: the platform's own level; county: the level below
  created_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE people (
  id TEXT COLLATE "C" PRIMARY KEY,
  login_name TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  department_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  phone TEXT COLLATE "C" NOT NULL,
  password_hash TEXT COLLATE "C" NOT NULL,         -- Argon2id
  contractor BIGINT NOT NULL,          -- 1: may run, never approve
  active BIGINT NOT NULL,
  failures BIGINT NOT NULL,            -- wrong passwords in a row
  locked_until TEXT COLLATE "C",                   -- instant
  created_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE posts (
  person_id TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  role TEXT COLLATE "C" NOT NULL,                  -- see domain::access::Role
  PRIMARY KEY (person_id, role)
);

CREATE TABLE sessions (
  token_hash TEXT COLLATE "C" PRIMARY KEY,         -- SHA-256 of the cookie
  person_id TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  created_at TEXT COLLATE "C" NOT NULL,
  expires_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE stores (
  id TEXT COLLATE "C" PRIMARY KEY,
  department_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  name TEXT COLLATE "C" NOT NULL,
  url TEXT COLLATE "C" NOT NULL,                   -- may hold credentials: never shown, never logged
  created_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE notices (
  id TEXT COLLATE "C" PRIMARY KEY,
  department_id TEXT COLLATE "C" NOT NULL,         -- who is told
  at TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,                  -- e.g. request.filed
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject_id TEXT COLLATE "C" NOT NULL,
  facts TEXT COLLATE "C" NOT NULL                  -- JSON of names and dates for the sentence
);
CREATE INDEX notices_by_department ON notices (department_id, at);

-- Catalogue.

CREATE TABLE entries (
  id TEXT COLLATE "C" PRIMARY KEY,
  department_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  name TEXT COLLATE "C" NOT NULL,                  -- of the newest version
  class_code TEXT COLLATE "C" NOT NULL,            -- class of the resource code
  sequence BIGINT NOT NULL,            -- sequence of the resource code within its class
  active_no BIGINT,                    -- published version; NULL until one is
  created_at TEXT COLLATE "C" NOT NULL,
  UNIQUE (class_code, sequence),
  UNIQUE (department_id, name)
);

CREATE TABLE versions (
  id TEXT COLLATE "C" PRIMARY KEY,
  entry_id TEXT COLLATE "C" NOT NULL REFERENCES entries (id),
  no BIGINT NOT NULL,                  -- 1, 2, ...
  content TEXT COLLATE "C" NOT NULL,               -- JSON of domain::catalogue::EntryContent
  state_code TEXT COLLATE "C" NOT NULL,            -- draft, submitted, returned, published, superseded
  state TEXT COLLATE "C" NOT NULL,                 -- JSON of domain::catalogue::VersionState
  submitted_by TEXT COLLATE "C",                   -- person
  published_at TEXT COLLATE "C",                   -- instant
  created_at TEXT COLLATE "C" NOT NULL,
  UNIQUE (entry_id, no)
);
CREATE INDEX versions_by_state ON versions (state_code);

CREATE TABLE imports (
  id TEXT COLLATE "C" PRIMARY KEY,
  department_id TEXT COLLATE "C" NOT NULL,
  person_id TEXT COLLATE "C" NOT NULL,
  at TEXT COLLATE "C" NOT NULL,
  entries_total BIGINT NOT NULL,
  faults TEXT COLLATE "C" NOT NULL,                -- JSON of the cell faults
  workbook TEXT COLLATE "C" NOT NULL               -- file digest in the file store
);

CREATE TABLE mountings (
  id TEXT COLLATE "C" PRIMARY KEY,
  entry_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES entries (id),
  store_id TEXT COLLATE "C" NOT NULL REFERENCES stores (id),
  table_name TEXT COLLATE "C" NOT NULL,
  columns TEXT COLLATE "C" NOT NULL,               -- JSON of the mapped columns, in the order of the data items
  key_columns TEXT COLLATE "C" NOT NULL,           -- JSON of column names
  pooled BIGINT NOT NULL,              -- 1 once a collection has succeeded
  rows_total BIGINT,                   -- in the pool after the last collection
  last_arrival_at TEXT COLLATE "C",
  created_at TEXT COLLATE "C" NOT NULL
);

-- Cases, requests, grants.

CREATE TABLE cases (
  id TEXT COLLATE "C" PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL UNIQUE,         -- e.g. SQ-2026-0921-0001
  subject_kind TEXT COLLATE "C" NOT NULL,          -- request, ...
  subject_id TEXT COLLATE "C" NOT NULL,
  pack_id TEXT COLLATE "C" NOT NULL,
  pack_version TEXT COLLATE "C" NOT NULL,
  process_id TEXT COLLATE "C" NOT NULL,
  requester_department_id TEXT COLLATE "C" NOT NULL,
  provider_department_id TEXT COLLATE "C" NOT NULL,
  filed_by TEXT COLLATE "C" NOT NULL,              -- person
  opening TEXT COLLATE "C" NOT NULL,               -- JSON: what the case began with
  revision BIGINT NOT NULL,            -- number of events; a save fails if somebody was faster
  opened_at TEXT COLLATE "C" NOT NULL,
  ended_at TEXT COLLATE "C",
  outcome TEXT COLLATE "C"
);
CREATE INDEX cases_by_subject ON cases (subject_kind, subject_id);

CREATE TABLE case_events (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id),
  seq BIGINT NOT NULL,                 -- 1, 2, ...
  event TEXT COLLATE "C" NOT NULL,                 -- JSON of domain::case::CaseEvent
  at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (case_id, seq)
);

-- The open steps of open cases, kept with the events in one transaction: what the desks show.
CREATE TABLE tasks (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id),
  step_id TEXT COLLATE "C" NOT NULL,
  department_id TEXT COLLATE "C" NOT NULL,         -- who holds it
  role TEXT COLLATE "C" NOT NULL,                  -- role of the pack
  opened_at TEXT COLLATE "C" NOT NULL,
  due_on TEXT COLLATE "C",                         -- civil date; NULL where the law sets none
  PRIMARY KEY (case_id, step_id)
);
CREATE INDEX tasks_by_department ON tasks (department_id, due_on);

CREATE TABLE sharing_requests (
  id TEXT COLLATE "C" PRIMARY KEY,
  case_id TEXT COLLATE "C" NOT NULL,
  entry_id TEXT COLLATE "C" NOT NULL REFERENCES entries (id),
  version_no BIGINT NOT NULL,
  requester_department_id TEXT COLLATE "C" NOT NULL,
  provider_department_id TEXT COLLATE "C" NOT NULL,
  filed_by TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,               -- JSON of domain::request::RequestContent
  created_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sharing_requests_by_requester ON sharing_requests (requester_department_id, created_at);
CREATE INDEX sharing_requests_by_entry ON sharing_requests (entry_id);

CREATE TABLE grants (
  id TEXT COLLATE "C" PRIMARY KEY,
  case_id TEXT COLLATE "C" NOT NULL,
  entry_id TEXT COLLATE "C" NOT NULL REFERENCES entries (id),
  requester_department_id TEXT COLLATE "C" NOT NULL,
  provider_department_id TEXT COLLATE "C" NOT NULL,
  state_code TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,               -- JSON of domain::grant::Grant
  created_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX grants_by_entry ON grants (entry_id, state_code);
CREATE INDEX grants_by_case ON grants (case_id);

-- Exchange.

CREATE TABLE subscriptions (
  id TEXT COLLATE "C" PRIMARY KEY,
  grant_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES grants (id),
  entry_id TEXT COLLATE "C" NOT NULL,
  store_id TEXT COLLATE "C" NOT NULL REFERENCES stores (id),
  table_name TEXT COLLATE "C" NOT NULL,            -- in the requester's exchange store
  state_code TEXT COLLATE "C" NOT NULL,            -- active, paused, ended
  pause_reason TEXT COLLATE "C",
  created_at TEXT COLLATE "C" NOT NULL,
  UNIQUE (store_id, table_name)
);

CREATE TABLE runs (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,                  -- collection (source -> pool) or delivery (pool -> target)
  entry_id TEXT COLLATE "C" NOT NULL,
  subscription_id TEXT COLLATE "C",                -- for deliveries
  collection_run_id TEXT COLLATE "C",              -- the collection that a delivery followed
  provider_department_id TEXT COLLATE "C" NOT NULL,
  requester_department_id TEXT COLLATE "C",        -- for deliveries
  state_code TEXT COLLATE "C" NOT NULL,            -- queued, running, succeeded, failed
  started_by TEXT COLLATE "C",                     -- person; NULL where the platform did
  created_at TEXT COLLATE "C" NOT NULL,
  started_at TEXT COLLATE "C",
  finished_at TEXT COLLATE "C",
  rows_read BIGINT NOT NULL,
  rows_delivered BIGINT NOT NULL,
  rows_unchanged BIGINT NOT NULL,
  rows_out_of_scope BIGINT NOT NULL,
  rows_quarantined BIGINT NOT NULL,
  rows_inserted BIGINT NOT NULL,
  rows_updated BIGINT NOT NULL,
  rows_deleted BIGINT NOT NULL,
  source_digest TEXT COLLATE "C",
  target_digest TEXT COLLATE "C",
  digest_rows BIGINT,
  failure TEXT COLLATE "C",                        -- JSON: code, side, next step
  steps TEXT COLLATE "C" NOT NULL                  -- JSON list of what was done when
);
CREATE INDEX runs_by_created_at ON runs (created_at);
CREATE INDEX runs_by_entry ON runs (entry_id, created_at);

CREATE TABLE files (
  digest TEXT COLLATE "C" PRIMARY KEY,             -- SHA-256
  bytes BIGINT NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL
);
