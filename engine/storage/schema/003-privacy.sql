-- Random keys of this data folder, made at its first start. `direct_id` keys the ids of direct chats.
CREATE TABLE secrets (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
