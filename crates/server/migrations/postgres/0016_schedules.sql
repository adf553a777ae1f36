-- When a mounted resource is collected by itself.
CREATE TABLE schedules (
  entry_id TEXT COLLATE "C" PRIMARY KEY REFERENCES entries (id),
  cron TEXT COLLATE "C" NOT NULL,                   -- minute, hour, day, month, weekday; by the clock of China
  next_at TEXT COLLATE "C" NOT NULL,                -- instant
  set_at TEXT COLLATE "C" NOT NULL,                 -- instant
  set_by TEXT COLLATE "C" NOT NULL REFERENCES people (id)
);
CREATE INDEX schedules_by_next_at ON schedules (next_at);
