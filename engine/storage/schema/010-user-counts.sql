-- Migration 010. Groups and invitations of each user, counted.

-- How many groups each user is in and how many invitations they have, for the limits of both.
ALTER TABLE users ADD COLUMN group_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN invitation_count INTEGER NOT NULL DEFAULT 0;
UPDATE users SET
  group_count = (SELECT count(*) FROM members m WHERE m.user_key = users.user_key),
  invitation_count = (SELECT count(*) FROM invitations i WHERE i.user_key = users.user_key);
CREATE TRIGGER membership_began AFTER INSERT ON members BEGIN
  UPDATE users SET group_count = group_count + 1 WHERE user_key = new.user_key;
END;
CREATE TRIGGER membership_ended AFTER DELETE ON members BEGIN
  UPDATE users SET group_count = group_count - 1 WHERE user_key = old.user_key;
END;
CREATE TRIGGER invitation_added AFTER INSERT ON invitations BEGIN
  UPDATE users SET invitation_count = invitation_count + 1 WHERE user_key = new.user_key;
END;
CREATE TRIGGER invitation_dropped AFTER DELETE ON invitations BEGIN
  UPDATE users SET invitation_count = invitation_count - 1 WHERE user_key = old.user_key;
END;
