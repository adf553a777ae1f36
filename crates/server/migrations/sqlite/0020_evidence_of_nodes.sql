-- Which node writes a record into its ledger: the one that committed it. NULL in what was placed before there were
-- several, and for a moment in what a migration leaves.
ALTER TABLE evidence ADD COLUMN node_id TEXT;
