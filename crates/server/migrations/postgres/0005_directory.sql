-- The directory as the regulations ask for it.

-- Which department stands behind a bound role of a rule pack. A county's authority serves the departments of its division only.
CREATE TABLE role_bindings (
  role TEXT NOT NULL,                  -- role of a pack, e.g. authority
  division_code TEXT NOT NULL,         -- GB/T 2260; empty: for every division
  department_id TEXT NOT NULL REFERENCES departments (id),
  PRIMARY KEY (role, division_code)
);
