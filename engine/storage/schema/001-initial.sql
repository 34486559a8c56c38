-- Migration 001. Users, groups, members, messages, other events, seq leases.

-- Integer keys stand for groups and users inside the file: they make the clustered keys short.
CREATE TABLE users (
  user_key INTEGER PRIMARY KEY,
  user_id  TEXT NOT NULL UNIQUE,
  name     TEXT NOT NULL DEFAULT '',
  picture  TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE groups (
  group_key  INTEGER PRIMARY KEY,
  group_id   TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL,
  visibility TEXT NOT NULL,
  created_by INTEGER NOT NULL REFERENCES users,
  created_at INTEGER NOT NULL,
  name       TEXT,
  topic      TEXT,
  avatar_url TEXT,
  member_count INTEGER NOT NULL DEFAULT 0,
  -- How many posts there are up to `counted_seq`. Unread counts are differences of such counts;
  -- they follow behind the commits, and a reader adds the few posts above.
  posts       INTEGER NOT NULL DEFAULT 0,
  counted_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE members (
  group_key  INTEGER NOT NULL REFERENCES groups,
  user_key   INTEGER NOT NULL REFERENCES users,
  role       TEXT NOT NULL,
  joined_seq INTEGER NOT NULL,
  joined_at  INTEGER NOT NULL,
  -- The group's posts when the member joined, and since, up to `counted_seq`, the member's own
  -- posts and the posts that mention them.
  posts_before INTEGER NOT NULL,
  own_posts  INTEGER NOT NULL DEFAULT 0,
  mentions   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_key, group_key);
CREATE TRIGGER member_added AFTER INSERT ON members BEGIN
  UPDATE groups SET member_count = member_count + 1 WHERE group_key = new.group_key;
END;
CREATE TRIGGER member_dropped AFTER DELETE ON members BEGIN
  UPDATE groups SET member_count = member_count - 1 WHERE group_key = old.group_key;
END;

-- The log of the posts, and what history reads.
CREATE TABLE messages (
  group_key  INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  sender_key INTEGER NOT NULL,
  type       TEXT NOT NULL,
  content    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  temp_id    TEXT,
  reply_seq  INTEGER,
  file_id    TEXT,
  mentions   TEXT,
  PRIMARY KEY (group_key, seq)
) STRICT, WITHOUT ROWID;

-- Every other durable event, as the frame that clients get.
CREATE TABLE events (
  group_key INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  code      INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  frame     BLOB NOT NULL,
  PRIMARY KEY (group_key, seq)
) STRICT, WITHOUT ROWID;

-- Numbers of a group up to `ceiling` may have been assigned. Above the log's newest number only
-- after a crash. By id, since the first lease is committed before the group itself.
CREATE TABLE leases (
  group_id TEXT NOT NULL PRIMARY KEY,
  ceiling  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
