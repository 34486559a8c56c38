-- Migration 005. The storage quota: bytes of each user’s files.

-- The size of each user's files in bytes, for the storage quota. Files that are marked for removal
-- (`uses` -1) do not count.
ALTER TABLE users ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE users SET stored_bytes = stored.bytes
  FROM (SELECT uploader_key, sum(size) AS bytes FROM files WHERE uses >= 0 GROUP BY uploader_key) AS stored
  WHERE users.user_key = stored.uploader_key;
CREATE TRIGGER file_added AFTER INSERT ON files WHEN new.uses >= 0 BEGIN
  UPDATE users SET stored_bytes = stored_bytes + new.size WHERE user_key = new.uploader_key;
END;
CREATE TRIGGER file_removed AFTER DELETE ON files WHEN old.uses >= 0 BEGIN
  UPDATE users SET stored_bytes = stored_bytes - old.size WHERE user_key = old.uploader_key;
END;
CREATE TRIGGER file_given_up AFTER UPDATE OF uses ON files WHEN old.uses >= 0 AND new.uses < 0 BEGIN
  UPDATE users SET stored_bytes = stored_bytes - old.size WHERE user_key = old.uploader_key;
END;
CREATE TRIGGER file_shown_again AFTER UPDATE OF uses ON files WHEN old.uses < 0 AND new.uses >= 0 BEGIN
  UPDATE users SET stored_bytes = stored_bytes + new.size WHERE user_key = new.uploader_key;
END;
