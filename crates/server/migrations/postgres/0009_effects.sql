-- What cases bring about beside themselves.

-- The term of a grant and what was noted of it, so that what is due is found without reading every grant.
ALTER TABLE grants ADD COLUMN valid_until TEXT COLLATE "C";         -- civil date on which it is no longer valid; NULL: no end
ALTER TABLE grants ADD COLUMN expiry_noted_at TEXT COLLATE "C";     -- instant
ALTER TABLE grants ADD COLUMN reclaim_proposed_at TEXT COLLATE "C"; -- instant; NULL again once it was used
UPDATE grants SET valid_until = content::json ->> 'valid_until';
CREATE INDEX grants_by_expiry ON grants (valid_until) WHERE expiry_noted_at IS NULL;
CREATE INDEX grants_by_requester ON grants (requester_department_id, entry_id);
