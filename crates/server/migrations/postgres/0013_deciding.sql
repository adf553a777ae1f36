-- What decisions took away from requests that were granted in part.
CREATE TABLE partial_approvals (
  request_id TEXT COLLATE "C" NOT NULL REFERENCES sharing_requests (id),
  step_id TEXT COLLATE "C" NOT NULL,             -- the step in which it was decided
  content TEXT COLLATE "C" NOT NULL,             -- JSON of domain::request::PartialApproval
  at TEXT COLLATE "C" NOT NULL,                  -- instant
  PRIMARY KEY (request_id, step_id)
);

-- What somebody has filed is held back for a while, and can be taken back without anybody else having seen it.
ALTER TABLE cases ADD COLUMN held BIGINT NOT NULL DEFAULT 0;        -- 1: only the department that asks sees it
ALTER TABLE sharing_requests ADD COLUMN held_until TEXT COLLATE "C";  -- instant; NULL once others see it
CREATE INDEX sharing_requests_held ON sharing_requests (held_until) WHERE held_until IS NOT NULL;
