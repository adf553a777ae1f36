-- What cases bring about beside themselves.

-- The term of a grant and what was noted of it, so that what is due is found without reading every grant.
ALTER TABLE grants ADD COLUMN valid_until TEXT;         -- civil date on which it is no longer valid; NULL: no end
ALTER TABLE grants ADD COLUMN expiry_noted_at TEXT;     -- instant
ALTER TABLE grants ADD COLUMN reclaim_proposed_at TEXT; -- instant; NULL again once it was used
UPDATE grants SET valid_until = json_extract(content, '$.valid_until');
CREATE INDEX grants_by_expiry ON grants (valid_until) WHERE expiry_noted_at IS NULL;
CREATE INDEX grants_by_requester ON grants (requester_department_id, entry_id);

-- What decides who authorises the use of an interface; an entry without a line has neither.
CREATE TABLE interface_terms (
  entry_id TEXT PRIMARY KEY REFERENCES entries (id),
  param_control BIGINT NOT NULL,       -- 1: its parameters have to be controlled; the provider says so
  direct_authorisation BIGINT NOT NULL -- 1: the platform unit authorises it directly; the authority says so
);

-- Further departments that may take an open step; it is one task, done once.
CREATE TABLE tasks_also (
  case_id TEXT NOT NULL REFERENCES cases (id),
  step_id TEXT NOT NULL,
  department_id TEXT NOT NULL,
  role TEXT NOT NULL,               -- role of the pack
  PRIMARY KEY (case_id, step_id, department_id)
);
CREATE INDEX tasks_also_by_department ON tasks_also (department_id);
