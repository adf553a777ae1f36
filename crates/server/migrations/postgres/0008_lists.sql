-- What departments need of others, and who has to collect what.

-- Demands 需求, each stated by a department and received by the authority for demands.
CREATE TABLE demands (
  id TEXT COLLATE "C" PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL UNIQUE,
  requester_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  receiver_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id), -- as the roles were bound when it was stated
  pack_id TEXT COLLATE "C" NOT NULL,               -- the rules that it was stated under
  pack_version TEXT COLLATE "C" NOT NULL,
  stated_by TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  stated_at TEXT COLLATE "C" NOT NULL,             -- instant
  content TEXT COLLATE "C" NOT NULL,               -- JSON of domain::demand::DemandContent
  level TEXT COLLATE "C" NOT NULL,                 -- county, city, province, state: whose resource is wanted
  resource_key TEXT COLLATE "C" NOT NULL,          -- name of the resource as it is merged by; '' where none is named
  proposals TEXT COLLATE "C" NOT NULL,             -- JSON: entries proposed when it was stated, best first
  asked_id TEXT COLLATE "C" REFERENCES departments (id), -- who is to answer; NULL while nobody is known
  entry_id TEXT COLLATE "C" REFERENCES entries (id),     -- the match that a person confirmed
  state TEXT COLLATE "C" NOT NULL,                 -- open, answered, withdrawn
  answer TEXT COLLATE "C",                         -- JSON of domain::demand::Answer
  answered_at TEXT COLLATE "C",                    -- instant
  application_id TEXT COLLATE "C",                 -- the application upward that it went into
  revision BIGINT NOT NULL             -- rises with every change
);
CREATE INDEX demands_by_requester ON demands (requester_id, stated_at, id);
CREATE INDEX demands_by_asked ON demands (asked_id, stated_at, id);
CREATE INDEX demands_by_receiver ON demands (receiver_id, stated_at, id);
CREATE INDEX demands_by_resource ON demands (receiver_id, level, resource_key);
CREATE INDEX demands_by_application ON demands (application_id);

-- County lists 应用需求数据清单: made from the demands, numbered, never changed.
CREATE TABLE demand_lists (
  id TEXT COLLATE "C" PRIMARY KEY,
  receiver_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id), -- whose list it is
  no BIGINT NOT NULL,                  -- 1, 2, ...
  demands_count BIGINT NOT NULL,
  lines_count BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  made_at TEXT COLLATE "C" NOT NULL,               -- instant
  clause TEXT COLLATE "C",                         -- what it rests on, where the regulation says
  UNIQUE (receiver_id, no)
);
CREATE TABLE demand_list_lines (
  list_id TEXT COLLATE "C" NOT NULL REFERENCES demand_lists (id),
  no BIGINT NOT NULL,                  -- 1, 2, ...
  line TEXT COLLATE "C" NOT NULL,                  -- JSON: title, provider, entry, requesters with their demands
  PRIMARY KEY (list_id, no)
);

-- Applications upward: all demands for one resource of a higher level.
CREATE TABLE upward_applications (
  id TEXT COLLATE "C" PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL UNIQUE,
  applicant_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id), -- who merged them and applies
  level TEXT COLLATE "C" NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,                 -- merged, sent, answered
  merged_by TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  merged_at TEXT COLLATE "C" NOT NULL,             -- instant
  sent_at TEXT COLLATE "C",                        -- instant
  sent_reference TEXT COLLATE "C",                 -- number of the letter upward
  answered_at TEXT COLLATE "C",                    -- instant at which the answer was put on record
  answer_reference TEXT COLLATE "C",               -- number of the letter from above
  answer TEXT COLLATE "C",                         -- JSON of domain::demand::Answer
  clause TEXT COLLATE "C",
  revision BIGINT NOT NULL
);
CREATE INDEX upward_applications_by_applicant ON upward_applications (applicant_id, merged_at, id);

-- Versions of the responsibility list 采集责任清单: one for each publication and each settlement.
CREATE TABLE responsibility_versions (
  no BIGINT PRIMARY KEY,               -- 1, 2, ...
  at TEXT COLLATE "C" NOT NULL,                    -- instant
  kind TEXT COLLATE "C" NOT NULL,                  -- published, settled
  entry_id TEXT COLLATE "C" REFERENCES entries (id), -- of a publication
  entry_version_no BIGINT,
  name TEXT COLLATE "C" NOT NULL,                  -- of the entry, or of the item that was settled
  added BIGINT NOT NULL,               -- lines
  removed BIGINT NOT NULL
);
CREATE INDEX responsibility_versions_by_entry ON responsibility_versions (entry_id);

-- Lines of the list with the versions in which they hold. Publishing an entry touches its own lines only.
CREATE TABLE responsibility_lines (
  entry_id TEXT COLLATE "C" NOT NULL REFERENCES entries (id),
  from_no BIGINT NOT NULL,             -- first version of the list that has the line
  until_no BIGINT,                     -- first version that doesn't have it any more; NULL: it has it
  item_code TEXT COLLATE "C" NOT NULL,             -- code of the data item
  item_name TEXT COLLATE "C" NOT NULL,
  is_key BIGINT NOT NULL,              -- 1: the item only tells apart what the data are about
  contested_name TEXT COLLATE "C",                 -- what no two departments may both answer for; NULL for keys
  department_id TEXT COLLATE "C" NOT NULL REFERENCES departments (id),
  delivered_at TEXT COLLATE "C",                   -- instant since which it is mounted and has arrived; NULL: it isn't
  PRIMARY KEY (entry_id, item_code, from_no)
);
CREATE INDEX responsibility_lines_by_department ON responsibility_lines (department_id, entry_id, item_code);
CREATE INDEX responsibility_lines_by_name ON responsibility_lines (contested_name);

-- Names that stood with several departments, settled by the authority.
CREATE TABLE responsibility_settlements (
  contested_name TEXT COLLATE "C" NOT NULL,
  from_no BIGINT NOT NULL,             -- first version of the list in which it holds
  until_no BIGINT,                     -- first version in which another one holds
  department_id TEXT COLLATE "C" REFERENCES departments (id), -- the one that is responsible; NULL: they are different data
  reason TEXT COLLATE "C" NOT NULL,
  settled_by TEXT COLLATE "C" NOT NULL REFERENCES people (id),
  settled_at TEXT COLLATE "C" NOT NULL,            -- instant
  PRIMARY KEY (contested_name, from_no)
);

-- A request that came on paper: who entered it for the department that applied. NULL: it was filed online.
ALTER TABLE sharing_requests ADD COLUMN entered_by_department_id TEXT COLLATE "C";
