-- Migration 008. Members who have not accepted a direct chat.

-- The member has not accepted a direct chat that the other user opened, and has sent nothing in it. PRV-2
ALTER TABLE members ADD COLUMN approached INTEGER NOT NULL DEFAULT 0;
CREATE INDEX members_approached ON members (user_key, group_key) WHERE approached = 1;
