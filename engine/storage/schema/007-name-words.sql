-- Migration 007. The words of users’ names, for search_users.

-- The words of users' names (of the id if there is no name), folded, for search_users.
CREATE TABLE name_words (
  word     TEXT NOT NULL,
  user_key INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (word, user_key)
) STRICT, WITHOUT ROWID;

-- The name with these words; NULL if there are none yet.
ALTER TABLE users ADD COLUMN words_of TEXT;
CREATE INDEX users_without_words ON users (user_key) WHERE words_of IS NULL;
