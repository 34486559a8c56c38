-- Migration 011. What `tertulia import` has imported.

-- The groups by their ids in the file; those of direct chats differ from the ids of the groups. `since` is the
-- newest number of the group before messages were imported, until the read marks of its members are set.
CREATE TABLE imported_groups (
  old_id    TEXT NOT NULL PRIMARY KEY,
  group_key INTEGER NOT NULL REFERENCES groups,
  since     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_groups_unmarked ON imported_groups (group_key) WHERE since IS NOT NULL;

-- The messages by their ids in the file, so that none is imported twice.
CREATE TABLE imported_messages (
  group_key INTEGER NOT NULL,
  old_id    TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (group_key, old_id)
) STRICT, WITHOUT ROWID;
