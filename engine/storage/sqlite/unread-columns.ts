/**
 * Unread columns: how a reader makes exact unread counts of counters that follow behind.
 *
 * The counters (`UnreadCounters`) say how many posts by others there are between a member's mark and
 * `counted_seq`. The mark may be behind what the member has read: those posts are taken off. And
 * there may be posts above `counted_seq`: they are added.
 */

/** Whether a post counts: one that was deleted or recalled does not. */
export const live = (post: string) => `${post}.deleted_at IS NULL AND ${post}.recalled_at IS NULL`

/** Posts of others than user `u` in group `g`, from which `between` picks. */
const postsOfOthers = (between: string) => `
  (SELECT count(*) FROM messages p WHERE p.group_key = g.group_key AND ${between}
    AND p.sender_key <> u.user_key AND ${live('p')})`

const postsMentioning = (between: string) => `
  (SELECT count(*) FROM messages p JOIN json_each(p.mentions) AS mentioned
    WHERE p.group_key = g.group_key AND ${between} AND p.mentions IS NOT NULL
    AND p.sender_key <> u.user_key AND mentioned.value = u.user_id AND ${live('p')})`

const readButCounted = 'p.seq > me.counted_read AND p.seq <= min(me.read_seq, g.counted_seq)'
const notCounted = 'p.seq > max(g.counted_seq, me.read_seq)'

/** Whether all has been read: most often it has, and then nothing is counted. */
const allRead = 'me.read_seq >= ifnull((SELECT max(seq) FROM messages p WHERE p.group_key = g.group_key), 0)'

/** What a statement selects of groups `g`, their member `me` and that user `u`. */
export const unreadColumns = `
  CASE WHEN ${allRead} THEN 0 ELSE
    g.posts - me.posts_before - me.own_posts - ${postsOfOthers(readButCounted)} + ${postsOfOthers(notCounted)}
  END AS unread,
  CASE WHEN ${allRead} THEN 0 ELSE
    me.mentions - ${postsMentioning(readButCounted)} + ${postsMentioning(notCounted)}
  END AS mentions`
