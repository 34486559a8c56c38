-- Migration 003. Secrets, former members, blocks.

-- Random keys of this data folder, created at its first start. `direct_id` is the key of direct chat ids.
CREATE TABLE secrets (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What outlives a membership: that the user left by choice (GRP-3), and until when they are
-- muted (GRP-2). The newest 10,000 of a group, by `left_seq`.
CREATE TABLE former_members (
  group_key   INTEGER NOT NULL REFERENCES groups,
  user_key    INTEGER NOT NULL REFERENCES users,
  left_seq    INTEGER NOT NULL,
  by_choice   INTEGER NOT NULL,
  muted_until INTEGER NOT NULL,
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;

-- Which users have blocked which others. PRV-1
CREATE TABLE blocks (
  user_key    INTEGER NOT NULL REFERENCES users,
  blocked_key INTEGER NOT NULL REFERENCES users,
  at          INTEGER NOT NULL,
  PRIMARY KEY (user_key, blocked_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_blocked ON blocks (blocked_key, user_key);
