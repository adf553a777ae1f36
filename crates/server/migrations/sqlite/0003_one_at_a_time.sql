-- What is given out once although many ask at the same time.

-- The last number given out of each kind: resource codes of a class, case numbers of a day.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,       -- of what, e.g. code:307001 or case:SQ-2026-0921-
  last BIGINT NOT NULL         -- the last one given out
);
INSERT INTO counters (name, last)
  SELECT 'code:' || class_code, MAX(sequence) FROM entries GROUP BY class_code;
INSERT INTO counters (name, last)
  SELECT 'case:' || substr(number, 1, 13), MAX(CAST(substr(number, 14) AS BIGINT)) FROM cases
  GROUP BY substr(number, 1, 13);

-- One running job of a lane, whoever claims it.
CREATE UNIQUE INDEX jobs_by_running_lane ON jobs (lane) WHERE state = 'running';
