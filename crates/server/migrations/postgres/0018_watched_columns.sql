-- Between two comparisons of the whole, a schedule may read only what a column of the table says has changed.
ALTER TABLE schedules ADD COLUMN watched_column TEXT COLLATE "C";   -- in the source's table; NULL: always compare the whole
ALTER TABLE schedules ADD COLUMN overlap BIGINT;                 -- seconds, or numbers where the column counts so
ALTER TABLE schedules ADD COLUMN mounting_id TEXT COLLATE "C";      -- the mounting whose column it is
ALTER TABLE schedules ADD COLUMN seen BIGINT;                    -- its highest value so far, as it counts
ALTER TABLE schedules ADD COLUMN compared_at TEXT COLLATE "C";      -- instant of the last comparison of the whole
