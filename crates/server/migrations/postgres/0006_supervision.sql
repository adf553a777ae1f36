-- Calendars, supervision, duties.

-- Holiday notices, in the order in which they were loaded; the last number is the calendar's version.
CREATE TABLE calendars (
  no BIGINT PRIMARY KEY,               -- 1, 2, ...
  title TEXT COLLATE "C" NOT NULL,                 -- of the notice
  number TEXT COLLATE "C" NOT NULL,                -- document number 发文字号
  csv TEXT COLLATE "C" NOT NULL,                   -- the special days, as they were loaded
  loaded_by TEXT COLLATE "C" NOT NULL,             -- person
  loaded_at TEXT COLLATE "C" NOT NULL              -- instant
);

-- Overdue steps, each found once: what a person may send or set aside. Nothing is sent by itself.
CREATE TABLE findings (
  id TEXT COLLATE "C" PRIMARY KEY,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES cases (id),
  step_id TEXT COLLATE "C" NOT NULL,
  opened_at TEXT COLLATE "C" NOT NULL,             -- since when the step was open: instant
  department_id TEXT COLLATE "C" NOT NULL,         -- who held it
  due_on TEXT COLLATE "C" NOT NULL,                -- civil date that had passed
  kind TEXT COLLATE "C" NOT NULL,                  -- notice: the pack names a process; finding: a code; reminder: neither
  code TEXT COLLATE "C",                           -- of a finding: code of prohibited conduct
  process_id TEXT COLLATE "C",                     -- of a notice: the process that it opens
  clause TEXT COLLATE "C" NOT NULL,                -- of the consequence; of the limit where there is none
  found_at TEXT COLLATE "C" NOT NULL,              -- instant
  state TEXT COLLATE "C" NOT NULL,                 -- draft, issued, dismissed
  text TEXT COLLATE "C",                           -- as it was sent, or why it was set aside
  settled_by TEXT COLLATE "C",                     -- person
  settled_at TEXT COLLATE "C",                     -- instant
  follow_up_case_id TEXT COLLATE "C",              -- the case that it opened
  UNIQUE (case_id, step_id, opened_at)
);
CREATE INDEX findings_by_department ON findings (department_id, state, found_at);
CREATE INDEX findings_by_state ON findings (state, found_at, id);

-- How long the period of a duty is for which the regulation gives none.
CREATE TABLE duty_periods (
  pack_id TEXT COLLATE "C" NOT NULL,
  duty_id TEXT COLLATE "C" NOT NULL,               -- periodic duty of the pack
  months BIGINT NOT NULL,
  first_day TEXT COLLATE "C" NOT NULL,             -- civil date on which the first period begins
  set_by TEXT COLLATE "C" NOT NULL,                -- person
  PRIMARY KEY (pack_id, duty_id)
);

-- What comes round, as it was handed in. What is owed is reckoned from pack, departments and periods.
CREATE TABLE duty_reports (
  id TEXT COLLATE "C" PRIMARY KEY,
  pack_id TEXT COLLATE "C" NOT NULL,
  duty_id TEXT COLLATE "C" NOT NULL,               -- periodic duty of the pack
  department_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  period_from TEXT COLLATE "C" NOT NULL,           -- first civil date reported on; '' where no period is known
  period_to TEXT COLLATE "C" NOT NULL,             -- last one; '' likewise
  due_on TEXT COLLATE "C",                         -- civil date as it stood then; NULL where there was none
  text TEXT COLLATE "C" NOT NULL,                  -- the report
  figures TEXT COLLATE "C" NOT NULL,               -- JSON: the numbers as submitted
  submitted_by TEXT COLLATE "C" NOT NULL,          -- person
  submitted_at TEXT COLLATE "C" NOT NULL           -- instant
);
-- One report on a period; without a period one may report as often as one likes.
CREATE UNIQUE INDEX duty_reports_by_period ON duty_reports (pack_id, duty_id, department_id, period_from)
  WHERE period_from <> '';
CREATE INDEX duty_reports_by_department ON duty_reports (department_id, submitted_at);

-- The daily digest: one for a department and day.
CREATE TABLE digests (
  department_id TEXT COLLATE "C" NOT NULL,
  day TEXT COLLATE "C" NOT NULL,                   -- civil date
  at TEXT COLLATE "C" NOT NULL,                    -- instant
  PRIMARY KEY (department_id, day)
);

-- Overdue steps in the order of their dates, without looking at the others.
CREATE INDEX tasks_by_due_on ON tasks (due_on, case_id, step_id);
-- What was delivered under a grant.
CREATE INDEX runs_by_subscription ON runs (subscription_id, finished_at);
