-- The duties registered for a department, against which requests are compared.
CREATE TABLE department_duties (
  department_id TEXT NOT NULL REFERENCES departments (id),
  position BIGINT NOT NULL,            -- order in the list, from 0
  duty TEXT NOT NULL,
  PRIMARY KEY (department_id, position)
);
