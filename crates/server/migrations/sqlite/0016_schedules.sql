-- When a mounted resource is collected by itself.
CREATE TABLE schedules (
  entry_id TEXT PRIMARY KEY REFERENCES entries (id),
  cron TEXT NOT NULL,                   -- minute, hour, day, month, weekday; by the clock of China
  next_at TEXT NOT NULL,                -- instant
  set_at TEXT NOT NULL,                 -- instant
  set_by TEXT NOT NULL REFERENCES people (id)
);
CREATE INDEX schedules_by_next_at ON schedules (next_at);
