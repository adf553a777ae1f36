-- How fast the platform may read and write a department's exchange store; NULL is without limit.
ALTER TABLE stores ADD COLUMN rows_per_s BIGINT;
ALTER TABLE stores ADD COLUMN bytes_per_s BIGINT;
