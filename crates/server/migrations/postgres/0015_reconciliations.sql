-- Receipts say how far they reach, and the whole of a delivery is compared from time to time.
ALTER TABLE runs ADD COLUMN digest_reach TEXT COLLATE "C";                       -- changed or whole; NULL without digests
ALTER TABLE runs ADD COLUMN rows_held BIGINT;                          -- rows in the target afterwards
ALTER TABLE subscriptions ADD COLUMN next_reconciliation_at TEXT COLLATE "C";    -- instant
CREATE INDEX subscriptions_by_next_reconciliation_at ON subscriptions (next_reconciliation_at);
UPDATE subscriptions SET next_reconciliation_at = created_at;
UPDATE runs SET rows_held = digest_rows;
