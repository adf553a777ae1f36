-- Uploaded files: sealed forms, agreements, minutes, proofs. The bytes lie in a folder under their digest.

CREATE TABLE attachments (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL,                -- SHA-256 of the bytes, hexadecimal
  kind TEXT NOT NULL,                  -- sealed_form, agreement, minutes, proof, written_report, legal_basis
  name TEXT NOT NULL,                  -- file name as uploaded, for people
  content_type TEXT NOT NULL,          -- by the content, never by the name
  bytes BIGINT NOT NULL,
  department_id TEXT NOT NULL REFERENCES departments (id),
  uploaded_by TEXT NOT NULL REFERENCES people (id),
  at TEXT NOT NULL,
  used_by_case TEXT                    -- the one case that took it; no foreign key, as the case may be saved after
);
CREATE INDEX attachments_by_case ON attachments (used_by_case);
