-- Tables of exchange stores that no catalogue entry describes.
CREATE TABLE unlisted_tables (
  id TEXT PRIMARY KEY,
  store_id TEXT NOT NULL REFERENCES stores (id),
  department_id TEXT NOT NULL REFERENCES departments (id),
  table_name TEXT NOT NULL,
  pack_id TEXT NOT NULL,               -- the regulation under which it was found
  pack_version TEXT NOT NULL,
  found_at TEXT NOT NULL,              -- instant
  excused TEXT,                        -- why it needs no entry; NULL while it is open
  UNIQUE (store_id, table_name)
);
