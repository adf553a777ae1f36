-- Work that goes on until somebody else needs its lane.
ALTER TABLE jobs ADD COLUMN standing BIGINT NOT NULL DEFAULT 0; -- 1: it goes on, and makes way for the others of its lane
ALTER TABLE jobs ADD COLUMN progress TEXT;                      -- what it has done so far, as JSON, for whoever takes it over

-- A schedule may follow the provider's change log, and compare the whole only when its time comes.
ALTER TABLE schedules ADD COLUMN follows BIGINT NOT NULL DEFAULT 0;

-- The change logs that providers' stores hold back for the platform. Instants are the machine's.
CREATE TABLE change_logs (
  entry_id TEXT PRIMARY KEY,
  mounting_id TEXT NOT NULL,   -- the mounting whose table it is of
  store_id TEXT NOT NULL,      -- the store that holds it
  consumer TEXT NOT NULL,      -- under which name
  state TEXT NOT NULL,         -- opening, following or failing
  error_code TEXT,             -- why it fails
  since TEXT NOT NULL,         -- since when it is in this state
  checked_at TEXT NOT NULL,    -- when somebody last looked
  transactions BIGINT NOT NULL,   -- how many were taken over since it was opened
  changed_at TEXT,             -- when the last one was taken over
  health TEXT,                 -- reserved, extended, endangered or lost, as the store says
  lag_bytes BIGINT,            -- what the store has written behind the last confirmed place
  retained_bytes BIGINT        -- what the store can't delete because of it
);
