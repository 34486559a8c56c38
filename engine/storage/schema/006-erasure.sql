-- Migration 006. Work to be done once per file, and files to be removed.

-- Work that must be done once with this file, at the next start. A row is deleted when it is done.
CREATE TABLE chores (
  name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO chores SELECT 'erase_old' WHERE EXISTS (SELECT 1 FROM groups);

-- Files whose content is to be removed.
CREATE INDEX files_doomed ON files (file_id) WHERE uses = -1;
