-- Migration 002. Changes of messages, receipts, bans, invitations, presence, files.

-- Later states of a post. A deleted or recalled post has an empty row.
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
ALTER TABLE messages ADD COLUMN deleted_by TEXT;
ALTER TABLE messages ADD COLUMN recalled_at INTEGER;
-- JSON: [{emoji, userIds}].
ALTER TABLE messages ADD COLUMN reactions TEXT;
ALTER TABLE messages ADD COLUMN pinned_at INTEGER;
CREATE INDEX messages_pinned ON messages (group_key, pinned_at) WHERE pinned_at IS NOT NULL;

-- The post that an event is about: its texts are erased with the post, and the search index uses it
-- to follow the log.
ALTER TABLE events ADD COLUMN target_seq INTEGER;
CREATE INDEX events_by_target ON events (group_key, target_seq) WHERE target_seq IS NOT NULL;

-- The member may not post, or wants no notifications, until these times. 0 for neither.
ALTER TABLE members ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
-- Receipts, as packed ranges of seqs with their times; `read_seq` is the newest one read, the
-- mark from which unread counts. `counted_read` is the mark that posts_before, own_posts and
-- mentions refer to: they follow behind `read_seq` like all counters.
ALTER TABLE members ADD COLUMN delivered BLOB;
ALTER TABLE members ADD COLUMN read BLOB;
ALTER TABLE members ADD COLUMN read_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN counted_read INTEGER NOT NULL DEFAULT 0;
-- A member does not count posts from before they joined: the mark begins there.
UPDATE members SET counted_read = joined_seq;

CREATE TABLE bans (
  group_key INTEGER NOT NULL REFERENCES groups,
  user_key  INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
  group_key  INTEGER NOT NULL REFERENCES groups,
  user_key   INTEGER NOT NULL REFERENCES users,
  invited_by INTEGER NOT NULL REFERENCES users,
  at         INTEGER NOT NULL,
  PRIMARY KEY (group_key, user_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_user ON invitations (user_key, at);

-- The status that a user chose, and when they were last connected.
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT 'online';
ALTER TABLE users ADD COLUMN last_seen_at INTEGER;

-- Files of groups. The bytes are stored beside the database, by their sha256; several rows may share them.
CREATE TABLE files (
  file_id     TEXT NOT NULL PRIMARY KEY,
  group_key   INTEGER NOT NULL REFERENCES groups,
  uploader_key INTEGER NOT NULL REFERENCES users,
  name        TEXT NOT NULL,
  mime_type   TEXT NOT NULL,
  size        INTEGER NOT NULL,
  sha256      TEXT NOT NULL,
  width       INTEGER,
  height      INTEGER,
  duration_ms INTEGER,
  created_at  INTEGER NOT NULL,
  -- How many messages show it; with none it is removed after a day.
  uses        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX files_unused ON files (created_at) WHERE uses = 0;
CREATE INDEX files_by_content ON files (sha256);
