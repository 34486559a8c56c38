/**
 * Made by `npm run docs` from the tables in protocol/: edit these, not this file.
 *
 * A request: name, fields, budget (`events` if it is empty; `-` if only the connection itself sends it), the
 * field that its method returns (nothing if it is empty; `*` for the whole answer), code. An event: name, fields,
 * 1 if it is durable, code. A record: name, fields. A field with a record: `name=Record`, with a list of them
 * `name=*Record`. A code that is one more than the one before is left out, and so are empty cells at the end.
 */
export const requestRows = `authenticate:token:-:*
ping:t:ephemeral:*
create_group:kind name members visibility groupId::group
get_groups:cursor limit:reads:*
join_group:groupId
leave_group:groupId
add_member:groupId userId
remove_member:groupId userId
send_message:groupId content type replyToId tempId fileId mentions::*
get_history:groupId before after limit:reads:*
resume:groups:reads:*
refresh_token:token:-
edit_message:messageId content mentions type
delete_message:messageId
recall_message:messageId
react:messageId emoji
unreact:messageId emoji
pin_message:messageId
unpin_message:messageId
update_group:groupId name avatarUrl topic visibility
ban_member:groupId userId
set_role:groupId userId role
mute_group:groupId until
invite_member:groupId userId
decline_invitation:groupId
get_invitations:cursor limit:reads:*
mute_member:groupId userId until
typing_start:groupId:ephemeral
typing_stop:groupId:ephemeral
update_status:status
get_online_users:groupId cursor:reads:*
message_delivered:messageIds:ephemeral
message_read:messageIds groupId upTo:ephemeral
get_receipts:messageId:reads:*
signal:groupId toUserId kind payload:ephemeral
search:query groupId senderId before after limit cursor:reads:*
upload_file:fileName file fileSize groupId mimeType:upload:*
upload_begin:fileName fileSize groupId mimeType sha256 uploadId:upload:*
upload_chunk:uploadId offset chunk:upload:*
upload_end:uploadId:upload:*
get_file:fileId:reads:file
search_users:query limit cursor:reads:*
get_contacts:limit cursor:reads:*
get_members:groupId cursor limit:reads:*
get_pins:groupId cursor limit:reads:*
mark_unread:groupId seq:::128
block_user:userId
unblock_user:userId
get_blocked:cursor limit:reads:*`

export const eventRows = `connected:message userId timestamp sessionId serverVersion limits=Limits groups=*GroupSummary hasMore::64
ok:result
error:code message field retryAfterMs
pong:t serverTime
group:group=Group
group_created:group=Group groupId seq by at:1
groups:groups=*GroupListing cursor
user_joined_group:userId userName groupId seq by:1
user_left_group:userId userName groupId seq by banned:1
new_message:message=Message:1
message_sent:tempId message=Message success
message_error:tempId error=ErrorInfo timestamp
history:groupId messages=*Message hasMore gaps=*Gap
resumed:groups
token_expiring:expiresAt
gap:groupId seq from to:1
server_shutdown:reason reconnectInMs
role_changed:userId role groupId seq by at:1
message_edited:messageId groupId seq content editedAt mentions type:1
message_deleted:messageId groupId seq deletedAt deletedBy:1
message_recalled:messageId groupId seq recalledBy recalledAt:1
reaction_changed:messageId emoji added groupId seq by at:1
message_pinned:messageId groupId seq by at:1
message_unpinned:messageId groupId seq by at:1
group_updated:name avatarUrl topic visibility groupId seq by at:1
member_muted:userId until groupId seq by at:1
user_typing:userId userName groupId
user_stopped_typing:userId groupId
contact_status_changed:userId status timestamp lastSeenAt
online_users:groupId users=*User total cursor
message_delivered:messageIds groupId deliveredTo timestamp
message_read:messageIds groupId readBy timestamp upTo
receipts:messageId delivered read deliveredCount readCount
signal:fromUserId groupId kind payload
search_results:hits=*SearchHit hasMore cursor
file_uploaded:fileId url fileName mimeType size sha256 width height durationMs
upload_progress:uploadId received size
file:file=File
group_invited:group=Group groupId by at
invitations:invitations=*Invitation cursor
users:users=*User cursor
members:groupId members=*Member cursor
pins:groupId messages=*Message cursor
user_updated:userId name picture at::132
marked_unread:groupId seq timestamp::160`

export const recordRows = `Limits:maxMessageBytes maxContentBytes rateLimit resumeEvents maxUploadBytes editWindowMs recallWindowMs
GroupSummary:group=Group lastSeq unread mentions readSeq mutedUntil
Group:groupId kind visibility createdBy createdAt memberCount lastSeq name topic avatarUrl members=*Member
GroupListing:group=Group lastMessage=Message unread mentions readSeq mutedUntil
Message:messageId groupId seq senderId senderName type content createdAt tempId replyToId file=File mentions editedAt deletedAt deletedBy recalledAt reactions=*Reaction pinnedAt
ErrorInfo:code message retryAfterMs field
Gap:seq from to
User:userId name status lastSeenAt picture
SearchHit:message=Message snippet rank
File:fileId url fileName mimeType size sha256 width height durationMs
Invitation:group=Group by at
Member:userId name role joinedAt mutedUntil picture
Reaction:emoji userIds count`
