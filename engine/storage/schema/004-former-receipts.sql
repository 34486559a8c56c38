-- Migration 004. Receipts of former members.

-- Receipts of former members, which are restored when they rejoin. The newest by `former_key`.
CREATE TABLE former_receipts (
  former_key INTEGER PRIMARY KEY,
  group_key  INTEGER NOT NULL REFERENCES groups,
  user_key   INTEGER NOT NULL REFERENCES users,
  delivered  BLOB NOT NULL,
  read       BLOB,
  UNIQUE (group_key, user_key)
) STRICT;
CREATE INDEX former_receipts_by_group ON former_receipts (group_key);
