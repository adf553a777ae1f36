-- Cases of every process of a regulation, not of sharing requests alone.

ALTER TABLE cases ADD COLUMN title TEXT COLLATE "C" NOT NULL DEFAULT ''; -- what it is about, in a line
UPDATE cases SET title = COALESCE((
  SELECT e.name FROM sharing_requests r JOIN entries e ON e.id = r.entry_id WHERE r.case_id = cases.id), '');
CREATE INDEX cases_by_requester ON cases (requester_department_id, opened_at);
CREATE INDEX cases_by_provider ON cases (provider_department_id, opened_at);
CREATE INDEX cases_by_opening ON cases (opened_at);
CREATE INDEX cases_settled_by_provider ON cases (provider_department_id, ended_at);

-- What a lamp needs, so that a desk is drawn without replaying a case.
ALTER TABLE tasks ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;  -- 1: the clock stands
ALTER TABLE tasks ADD COLUMN counted_at TEXT COLLATE "C";                   -- instant of the event that the limit counts from
DROP INDEX tasks_by_department;
CREATE INDEX tasks_by_department ON tasks (department_id, due_on, opened_at);
