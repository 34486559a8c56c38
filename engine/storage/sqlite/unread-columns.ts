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

/** Whether there may be such posts: most often there are none, and then none are looked for. */
const anyReadButCounted = 'me.counted_read < min(me.read_seq, g.counted_seq)'
const anyNotCounted = 'max(g.counted_seq, me.read_seq) < g.last_post_seq'

const allRead = 'me.read_seq >= g.last_post_seq'

const counted = (counter: string, posts: (between: string) => string) => `
  CASE WHEN ${allRead} THEN 0 ELSE ${counter}
    - CASE WHEN ${anyReadButCounted} THEN ${posts(readButCounted)} ELSE 0 END
    + CASE WHEN ${anyNotCounted} THEN ${posts(notCounted)} ELSE 0 END
  END`

/** How many posts of group `g` its member `me`, the user `u`, has not read. */
export const unreadColumn = counted('g.posts - me.posts_before - me.own_posts', postsOfOthers)

/** How many of those mention the user. */
export const mentionsColumn = counted('me.mentions', postsMentioning)
