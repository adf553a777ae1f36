-- Masked and mixed values of an entry's data, for whoever wonders whether they fit.
CREATE TABLE samples (
  entry_id TEXT PRIMARY KEY REFERENCES entries (id),
  version_no BIGINT NOT NULL,          -- the version whose masks were used
  columns TEXT NOT NULL,               -- JSON of item codes
  lines TEXT NOT NULL,                 -- JSON of lines of masked texts, each column in an order of its own
  drawn_at TEXT NOT NULL,              -- instant
  drawn_by TEXT NOT NULL REFERENCES people (id),
  released_at TEXT,                    -- instant; NULL while only the provider sees it
  released_by TEXT REFERENCES people (id)
);
