-- The directory as the regulations ask for it: roles bound to departments, posts in several departments,
-- delegations, what a department is and who answers there, names and mergers over time.

-- Which department stands behind a bound role of a rule pack. A county's authority serves the departments of its division only.
CREATE TABLE role_bindings (
  role TEXT NOT NULL,                  -- role of a pack, e.g. authority
  division_code TEXT NOT NULL,         -- GB/T 2260; empty: for every division
  department_id TEXT NOT NULL REFERENCES departments (id),
  PRIMARY KEY (role, division_code)
);

ALTER TABLE departments ADD COLUMN kind TEXT NOT NULL DEFAULT 'organ'; -- organ, public_institution, social_organisation, utility
ALTER TABLE departments ADD COLUMN by_reference BIGINT NOT NULL DEFAULT 0; -- 1: the regulation applies by reference only
ALTER TABLE departments ADD COLUMN superior_id TEXT;    -- the department above it
ALTER TABLE departments ADD COLUMN merged_into TEXT;    -- the department that answers for it now; NULL: it is active
ALTER TABLE departments ADD COLUMN merged_on TEXT;      -- civil date
ALTER TABLE departments ADD COLUMN merge_basis TEXT;    -- the decision that it rests on
CREATE INDEX departments_by_merged_into ON departments (merged_into);

-- Who answers for what in a department; published to all departments.
CREATE TABLE department_contacts (
  department_id TEXT NOT NULL REFERENCES departments (id),
  duty TEXT NOT NULL,                  -- first_responsible, lead_office, leader_in_charge, data_officer, technical
  name TEXT NOT NULL,                  -- of the person or office
  phone TEXT NOT NULL,
  PRIMARY KEY (department_id, duty)
);

-- Names that a department no longer bears.
CREATE TABLE department_names (
  department_id TEXT NOT NULL REFERENCES departments (id),
  until_date TEXT NOT NULL,            -- civil date from which the next name holds
  name TEXT NOT NULL,
  short_name TEXT NOT NULL,
  credit_code TEXT NOT NULL,
  basis TEXT NOT NULL,                 -- the decision that the change rests on
  PRIMARY KEY (department_id, until_date)
);

-- A person may hold posts in several departments.
CREATE TABLE posts_held (
  person_id TEXT NOT NULL REFERENCES people (id),
  department_id TEXT NOT NULL REFERENCES departments (id),
  role TEXT NOT NULL,                  -- see domain::access::Role
  PRIMARY KEY (person_id, department_id, role)
);
INSERT INTO posts_held (person_id, department_id, role)
  SELECT posts.person_id, people.department_id, posts.role FROM posts JOIN people ON people.id = posts.person_id;
DROP TABLE posts;
ALTER TABLE posts_held RENAME TO posts;
CREATE INDEX posts_by_department ON posts (department_id);

ALTER TABLE sessions ADD COLUMN department_id TEXT;     -- acted for; NULL: not chosen

-- Posts passed to a deputy for certain days.
CREATE TABLE delegations (
  id TEXT PRIMARY KEY,
  department_id TEXT NOT NULL REFERENCES departments (id),
  from_person TEXT NOT NULL REFERENCES people (id), -- whose posts
  to_person TEXT NOT NULL REFERENCES people (id),   -- the deputy
  roles TEXT NOT NULL,                 -- JSON list of domain::access::Role
  first_day TEXT NOT NULL,             -- civil date
  last_day TEXT NOT NULL,              -- civil date, inclusive
  reason TEXT NOT NULL,
  made_by TEXT NOT NULL,               -- the holder or the department's head
  created_at TEXT NOT NULL,
  revoked_at TEXT,                     -- instant
  revoked_by TEXT
);
CREATE INDEX delegations_by_to_person ON delegations (to_person, last_day);
CREATE INDEX delegations_by_department ON delegations (department_id, last_day);

ALTER TABLE people ADD COLUMN supervising_department_id TEXT;             -- for contractors: who watches over them
ALTER TABLE people ADD COLUMN contract_company TEXT NOT NULL DEFAULT '';  -- for contractors: their employer

-- One-time links by which people set their first password.
CREATE TABLE invitations (
  person_id TEXT PRIMARY KEY REFERENCES people (id), -- a newer link replaces an older one
  token_hash TEXT NOT NULL UNIQUE,     -- SHA-256
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
);
