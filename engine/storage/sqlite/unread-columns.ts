/**
 * Unread columns: SQL for exact unread counts, computed from counters that lag.
 *
 * The counters (`UnreadCounters`) state how many posts of others are between a member's mark and
 * `counted_seq`. If the mark lags behind what the member has read, the posts in between are subtracted. If
 * there are posts above `counted_seq`, they are added.
 */

/** Whether a post counts: deleted and recalled posts do not. */
export const live = (post: string) => `${post}.deleted_at IS NULL AND ${post}.recalled_at IS NULL`

/** Posts that match `between`, from users other than `u`, in group `g`. */
const postsOfOthers = (between: string) => `
  (SELECT count(*) FROM messages p WHERE p.group_key = g.group_key AND ${between}
    AND p.sender_key <> u.user_key AND ${live('p')})`

const postsMentioning = (between: string) => `
  (SELECT count(*) FROM messages p JOIN json_each(p.mentions) AS mentioned
    WHERE p.group_key = g.group_key AND ${between} AND p.mentions IS NOT NULL
    AND p.sender_key <> u.user_key AND mentioned.value = u.user_id AND ${live('p')})`

const readButCounted = 'p.seq > me.counted_read AND p.seq <= min(me.read_seq, g.counted_seq)'
const notCounted = 'p.seq > max(g.counted_seq, me.read_seq)'

/** Whether there may be such posts. Usually there are none, and they are not read. */
const anyReadButCounted = 'me.counted_read < min(me.read_seq, g.counted_seq)'
const anyNotCounted = 'max(g.counted_seq, me.read_seq) < g.last_post_seq'

const allRead = 'me.read_seq >= g.last_post_seq'

const counted = (counter: string, posts: (between: string) => string) => `
  CASE WHEN ${allRead} THEN 0 ELSE ${counter}
    - CASE WHEN ${anyReadButCounted} THEN ${posts(readButCounted)} ELSE 0 END
    + CASE WHEN ${anyNotCounted} THEN ${posts(notCounted)} ELSE 0 END
  END`

/** Number of posts of group `g` that its member `me`, the user `u`, has not read. */
export const unreadColumn = counted('g.posts - me.posts_before - me.own_posts', postsOfOthers)

/** Number of those that mention the user. */
export const mentionsColumn = counted('me.mentions', postsMentioning)
