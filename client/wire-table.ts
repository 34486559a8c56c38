/**
 * Made by `npm run docs` from the tables in protocol/: edit these, not this file.
 *
 * A request: name, code, budget (empty: only the connection itself sends it), the field that its method returns
 * or `ok` for nothing, fields. An event: name, code, 1 if it is durable, fields. A record: name, fields.
 * A field with a record: `name=Record`, with a list of them `name=*Record`.
 */
export const requestRows = `authenticate:1:::token
ping:2:ephemeral::t
create_group:3:events:group:kind name members visibility groupId
get_groups:4:reads::cursor limit
join_group:5:events:ok:groupId
leave_group:6:events:ok:groupId
add_member:7:events:ok:groupId userId
remove_member:8:events:ok:groupId userId
send_message:9:events::groupId content type replyToId tempId fileId mentions
get_history:10:reads::groupId before after limit
resume:11:reads::groups
refresh_token:12::ok:token
edit_message:13:events:ok:messageId content mentions type
delete_message:14:events:ok:messageId
recall_message:15:events:ok:messageId
react:16:events:ok:messageId emoji
unreact:17:events:ok:messageId emoji
pin_message:18:events:ok:messageId
unpin_message:19:events:ok:messageId
update_group:20:events:ok:groupId name avatarUrl topic visibility
ban_member:21:events:ok:groupId userId
set_role:22:events:ok:groupId userId role
mute_group:23:events:ok:groupId until
invite_member:24:events:ok:groupId userId
decline_invitation:25:events:ok:groupId
get_invitations:26:reads::cursor limit
mute_member:27:events:ok:groupId userId until
typing_start:28:ephemeral:ok:groupId
typing_stop:29:ephemeral:ok:groupId
update_status:30:events:ok:status
get_online_users:31:reads::groupId cursor
message_delivered:32:ephemeral:ok:messageIds
message_read:33:ephemeral:ok:messageIds groupId upTo
get_receipts:34:reads::messageId
signal:35:ephemeral:ok:groupId toUserId kind payload
search:36:reads::query groupId senderId before after limit cursor
upload_file:37:upload::fileName file fileSize groupId mimeType
upload_begin:38:upload::fileName fileSize groupId mimeType sha256 uploadId
upload_chunk:39:upload::uploadId offset chunk
upload_end:40:upload::uploadId
get_file:41:reads:file:fileId
search_users:42:reads::query limit cursor
get_contacts:43:reads::limit cursor
get_members:44:reads::groupId cursor limit
get_pins:45:reads::groupId cursor limit
mark_unread:128:events:ok:groupId seq
block_user:129:events:ok:userId
unblock_user:130:events:ok:userId
get_blocked:131:reads::cursor limit`

export const eventRows = `connected:64::message userId timestamp sessionId serverVersion limits=Limits groups=*GroupSummary hasMore
ok:65::result
error:66::code message field retryAfterMs
pong:67::t serverTime
group:68::group=Group
group_created:69:1:group=Group groupId seq by at
groups:70::groups=*GroupListing cursor
user_joined_group:71:1:userId userName groupId seq by
user_left_group:72:1:userId userName groupId seq by banned
new_message:73:1:message=Message
message_sent:74::tempId message=Message success
message_error:75::tempId error=ErrorInfo timestamp
history:76::groupId messages=*Message hasMore gaps=*Gap
resumed:77::groups
token_expiring:78::expiresAt
gap:79:1:groupId seq from to
server_shutdown:80::reason reconnectInMs
role_changed:81:1:userId role groupId seq by at
message_edited:82:1:messageId groupId seq content editedAt mentions type
message_deleted:83:1:messageId groupId seq deletedAt deletedBy
message_recalled:84:1:messageId groupId seq recalledBy recalledAt
reaction_changed:85:1:messageId emoji added groupId seq by at
message_pinned:86:1:messageId groupId seq by at
message_unpinned:87:1:messageId groupId seq by at
group_updated:88:1:name avatarUrl topic visibility groupId seq by at
member_muted:89:1:userId until groupId seq by at
user_typing:90::userId userName groupId
user_stopped_typing:91::userId groupId
contact_status_changed:92::userId status timestamp lastSeenAt
online_users:93::groupId users=*User total cursor
message_delivered:94::messageIds groupId deliveredTo timestamp
message_read:95::messageIds groupId readBy timestamp upTo
receipts:96::messageId delivered read deliveredCount readCount
signal:97::fromUserId groupId kind payload
search_results:98::hits=*SearchHit hasMore cursor
file_uploaded:99::fileId url fileName mimeType size sha256 width height durationMs
upload_progress:100::uploadId received size
file:101::file=File
group_invited:102::group=Group groupId by at
invitations:103::invitations=*Invitation cursor
users:104::users=*User cursor
members:105::groupId members=*Member cursor
pins:106::groupId messages=*Message cursor
user_updated:132::userId name picture at
marked_unread:160::groupId seq timestamp`

export const recordRows = `Limits:maxMessageBytes maxContentBytes rateLimit resumeEvents maxUploadBytes editWindowMs recallWindowMs
GroupSummary:group=Group lastSeq unread mentions readSeq mutedUntil
Group:groupId kind visibility createdBy createdAt memberCount lastSeq name topic avatarUrl members=*Member
GroupListing:group=Group lastMessage=Message unread mentions readSeq mutedUntil
Message:messageId groupId seq senderId senderName type content createdAt tempId replyToId file=File mentions editedAt deletedAt deletedBy recalledAt reactions=*Reaction pinnedAt
ErrorInfo:code message retryAfterMs
Gap:seq from to
User:userId name status lastSeenAt picture
SearchHit:message=Message snippet rank
File:fileId url fileName mimeType size sha256 width height durationMs
Invitation:group=Group by at
Member:userId name role joinedAt mutedUntil picture
Reaction:emoji userIds count`
