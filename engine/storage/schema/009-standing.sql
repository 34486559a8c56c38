-- Migration 009. The position and the activity of each group.

-- The position of each group, so that the list of a user's groups reads no events and no posts (INP-2):
-- the number of its newest event of any kind, that of its newest post (0 if there is none), and the time
-- of that post (of the group's creation if there is none).
ALTER TABLE groups ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN last_post_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
-- The group's lease, as in `leases`: above `last_seq` while the group is loaded, and after a crash.
ALTER TABLE groups ADD COLUMN ceiling INTEGER NOT NULL DEFAULT 0;

UPDATE groups SET last_post_seq = ifnull(
  (SELECT max(seq) FROM messages m WHERE m.group_key = groups.group_key), 0);
UPDATE groups SET
  last_seq = max(last_post_seq, ifnull(
    (SELECT max(seq) FROM events e WHERE e.group_key = groups.group_key), 0)),
  active_at = ifnull((SELECT created_at FROM messages m
    WHERE m.group_key = groups.group_key AND m.seq = last_post_seq), created_at),
  ceiling = ifnull((SELECT l.ceiling FROM leases l WHERE l.group_id = groups.group_id), 0);

-- With `joined_seq`, so that a user's groups are read without reading each row of `members`.
DROP INDEX members_by_user;
CREATE INDEX members_by_user ON members (user_key, group_key, joined_seq);
