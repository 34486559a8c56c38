/**
 * Unread: the counters for unread counts and mentions.
 *
 * A group counts its posts up to `counted_seq`. A member has a mark `counted_read`, the number of the
 * group's posts up to it, and from it to `counted_seq` the numbers of their own posts and of those that
 * mention them. Deleted and recalled posts do not count. The counters lag: `counted_seq` behind the posts,
 * and `counted_read` behind `read_seq`, so that a post or a receipt writes only one row. A reader corrects
 * both by counting a few posts itself (`unreadColumns`); `MAX_UNCOUNTED` and `MAX_MARK_LAG` limit their
 * number. After a crash, the marks show what is not counted yet.
 */
import type { Database, Statement } from 'better-sqlite3'
import { live } from './unread-columns.ts'

/** Posts of a group that readers count themselves. At this number the counters are updated. */
const MAX_UNCOUNTED = 256
/** How far a member's mark may lag behind what they have read. */
const MAX_MARK_LAG = 1_024
/** Groups whose counters lag, in memory. Above this number, the counters of all groups are updated. */
const MAX_PENDING = 100_000
/** Marks at most this far below the newest post are moved with one read of the posts for all readers. */
const NEAR_TOP = 4_096

interface PostRow {
  readonly sender_key: number
  readonly mentions: string | null
  readonly live: 0 | 1
}

interface LaggingRow {
  readonly user_key: number
  readonly read_seq: number
  readonly counted_read: number
  readonly posts_before: number
  readonly own_posts: number
  readonly mentions: number
}

/** Used by the one writer, inside its transactions. */
export class UnreadCounters {
  readonly #sql: ReturnType<typeof prepare>
  /** Groups with something that is not counted yet: the number of such posts by group key. */
  readonly #pending = new Map<number, number>()

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** A post was written. */
  posted(group: number): void {
    const posts = (this.#pending.get(group) ?? 0) + 1
    this.#pending.set(group, posts)
    if (posts >= MAX_UNCOUNTED) this.#catchUp(group)
    if (this.#pending.size > MAX_PENDING) this.settle()
  }

  /** A member's read mark has moved, forward or back. */
  read(group: number, user: number): void {
    const [readSeq, joinedSeq, countedRead] = this.#sql.marks.get(group, user) ?? [0, 0, 0]
    // Posts from before the user joined were never counted.
    const mark = Math.max(readSeq, joinedSeq)
    if (mark < countedRead) {
      this.countPosts(group)
      this.#moveBack(group, user, mark, countedRead)
    } else if (readSeq - countedRead > MAX_MARK_LAG) {
      this.countPosts(group)
      this.#moveMarks(group, user)
    } else if (readSeq > countedRead && !this.#pending.has(group)) {
      this.#pending.set(group, 0)
      if (this.#pending.size > MAX_PENDING) this.settle()
    }
  }

  /** Messages were marked unread (UNR-1): counts the posts in between. The group's posts are counted already. */
  #moveBack(group: number, user: number, mark: number, countedRead: number): void {
    const [posts, own] = this.#sql.between.get(user, group, mark, countedRead) ?? [0, 0]
    const mentions = this.#sql.mentionsBetween.get(user, group, mark, countedRead) ?? 0
    this.#sql.moveBack.run(mark, posts, own, mentions, group, user)
  }

  /** A post is about to change: it may be deleted, or mention other users. */
  changing(group: number, seq: number, removed: boolean, mentions: readonly string[]): void {
    const sql = this.#sql
    const before = sql.post.get(group, seq)
    if (!before || seq > (sql.countedSeq.get(group) ?? 0)) return
    const more = (removed ? 0 : 1) - before.live
    if (more !== 0) {
      sql.addPosts.run(more, group)
      sql.addBefore.run(more, group, seq)
      sql.addOwn.run(more, group, before.sender_key, seq)
    }
    const mentionedBefore = new Set(before.live ? parseMentions(before.mentions) : [])
    const mentionedAfter = new Set(removed ? [] : mentions)
    for (const userId of mentionedBefore) {
      if (!mentionedAfter.has(userId)) sql.addMention.run(-1, group, userId, seq, before.sender_key)
    }
    for (const userId of mentionedAfter) {
      if (!mentionedBefore.has(userId)) sql.addMention.run(1, group, userId, seq, before.sender_key)
    }
  }

  /** Counts a group's posts above `counted_seq`: called before its membership changes. */
  countPosts(group: number): void {
    const sql = this.#sql
    const since = sql.countedSeq.get(group) ?? 0
    const own = sql.newPosts.all(group, since)
    if (own.length === 0) return
    let posts = 0
    let upTo = since
    for (const [sender, count, newest] of own) {
      posts += count
      upTo = Math.max(upTo, newest)
      sql.countOwn.run(count, group, sender)
    }
    for (const [user, count] of sql.newMentions.all(group, since)) sql.countMentions.run(count, group, user)
    sql.countPosts.run(posts, upTo, group)
  }

  /** Brings all counters up to date. */
  settle(): void {
    for (const group of this.#pending.keys()) this.#catchUp(group)
  }

  #catchUp(group: number): void {
    this.#pending.delete(group)
    this.countPosts(group)
    this.#moveMarks(group, null)
  }

  /** Moves marks up to what was read: of one user, or of all members. Posts are counted already. */
  #moveMarks(group: number, user: number | null): void {
    const lagging = user === null ? this.#sql.lagging.all(group) : this.#sql.laggingOne.all(group, user)
    if (lagging.length === 0) return
    const [posts = 0, countedSeq = 0] = this.#sql.counted.get(group) ?? []
    const near = lagging.filter(({ read_seq }) => countedSeq - read_seq <= NEAR_TOP)
    const lowest = near.reduce((least, { read_seq }) => Math.min(least, read_seq), countedSeq)
    const above = lowest < countedSeq ? this.#postsAbove(group, lowest) : none
    for (const member of lagging) {
      const { user_key, read_seq } = member
      if (countedSeq - read_seq > NEAR_TOP) this.#moveFar(group, member, posts, countedSeq)
      else {
        this.#sql.moveMark.run(
          read_seq,
          posts - countAbove(above.all, read_seq),
          countAbove(above.own.get(user_key), read_seq),
          countAbove(above.mentions.get(user_key), read_seq),
          group,
          user_key,
        )
      }
    }
  }

  /** Moves a mark that is in the middle of many unread posts: counts the shorter side, below or above. */
  #moveFar(group: number, member: LaggingRow, posts: number, countedSeq: number): void {
    const { user_key, read_seq, counted_read } = member
    const fromBelow = read_seq - counted_read <= countedSeq - read_seq
    const [from, to] = fromBelow ? [counted_read, read_seq] : [read_seq, countedSeq]
    const [all, own] = this.#sql.between.get(user_key, group, from, to) ?? [0, 0]
    const mentions = this.#sql.mentionsBetween.get(user_key, group, from, to) ?? 0
    const counts = fromBelow
      ? [member.posts_before + all, member.own_posts - own, member.mentions - mentions]
      : [posts - all, own, mentions]
    this.#sql.moveMark.run(read_seq, ...counts, group, user_key)
  }

  /** The seqs of a group's posts above a number: all, by sender, and by mentioned user. */
  #postsAbove(group: number, seq: number): Above {
    const all: number[] = []
    const own = new Map<number, number[]>()
    for (const [post, sender] of this.#sql.postsAbove.all(group, seq)) {
      all.push(post)
      pushTo(own, sender, post)
    }
    const mentions = new Map<number, number[]>()
    for (const [post, user] of this.#sql.mentionsAbove.all(group, seq)) pushTo(mentions, user, post)
    return { all, own, mentions }
  }
}

/** Ascending. */
interface Above {
  readonly all: readonly number[]
  readonly own: ReadonlyMap<number, readonly number[]>
  readonly mentions: ReadonlyMap<number, readonly number[]>
}

const none: Above = { all: [], own: new Map(), mentions: new Map() }

function parseMentions(mentions: string | null): readonly string[] {
  return mentions === null ? [] : (JSON.parse(mentions) as string[])
}

function pushTo(lists: Map<number, number[]>, key: number, seq: number): void {
  const list = lists.get(key)
  if (list) list.push(seq)
  else lists.set(key, [seq])
}

/** How many of the ascending numbers are above a number. */
function countAbove(seqs: readonly number[] | undefined, seq: number): number {
  if (!seqs) return 0
  let low = 0
  let high = seqs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((seqs[middle] as number) > seq) high = middle
    else low = middle + 1
  }
  return seqs.length - low
}

function prepare(db: Database) {
  const pluck = (sql: string) => db.prepare(sql).pluck() as Statement<unknown[], number>
  const raw = <Row>(sql: string) => db.prepare(sql).raw() as unknown as Statement<number[], Row>
  const all = <Row>(sql: string) => db.prepare(sql) as unknown as Statement<number[], Row>
  const lagging = `SELECT user_key, read_seq, counted_read, posts_before, own_posts, mentions FROM members
    WHERE group_key = ? AND read_seq > counted_read`
  // The users that a post mentions, except its sender.
  const mentions = `FROM messages p JOIN json_each(p.mentions) AS mentioned
    JOIN users u ON u.user_id = mentioned.value
    WHERE p.mentions IS NOT NULL AND ${live('p')} AND u.user_key <> p.sender_key`
  return {
    counted: raw<[posts: number, countedSeq: number]>(
      'SELECT posts, counted_seq FROM groups WHERE group_key = ?',
    ),
    countedSeq: pluck('SELECT counted_seq FROM groups WHERE group_key = ?'),
    newPosts: raw<[sender: number, count: number, newest: number]>(`
      SELECT sender_key, count(*), max(seq) FROM messages p
      WHERE group_key = ? AND seq > ? AND ${live('p')} GROUP BY sender_key`),
    newMentions: raw<[user: number, count: number]>(`
      SELECT u.user_key, count(*) ${mentions} AND p.group_key = ? AND p.seq > ? GROUP BY u.user_key`),
    countPosts: db.prepare('UPDATE groups SET posts = posts + ?, counted_seq = ? WHERE group_key = ?'),
    countOwn: db.prepare('UPDATE members SET own_posts = own_posts + ? WHERE group_key = ? AND user_key = ?'),
    countMentions: db.prepare(
      'UPDATE members SET mentions = mentions + ? WHERE group_key = ? AND user_key = ?',
    ),
    lagging: all<LaggingRow>(lagging),
    laggingOne: all<LaggingRow>(`${lagging} AND user_key = ?`),
    postsAbove: raw<[seq: number, sender: number]>(
      `SELECT seq, sender_key FROM messages p WHERE group_key = ? AND seq > ? AND ${live('p')} ORDER BY seq`,
    ),
    mentionsAbove: raw<[seq: number, user: number]>(
      `SELECT p.seq, u.user_key ${mentions} AND p.group_key = ? AND p.seq > ? ORDER BY p.seq`,
    ),
    between: raw<[all: number, own: number]>(`
      SELECT count(*), count(*) FILTER (WHERE sender_key = ?) FROM messages p
      WHERE group_key = ? AND seq > ? AND seq <= ? AND ${live('p')}`),
    mentionsBetween: pluck(
      `SELECT count(*) ${mentions} AND u.user_key = ? AND p.group_key = ? AND p.seq > ? AND p.seq <= ?`,
    ),
    moveMark: db.prepare(`
      UPDATE members SET counted_read = ?, posts_before = ?, own_posts = ?, mentions = ?
      WHERE group_key = ? AND user_key = ?`),
    marks: raw<[readSeq: number, joinedSeq: number, countedRead: number]>(
      'SELECT read_seq, joined_seq, counted_read FROM members WHERE group_key = ? AND user_key = ?',
    ),
    moveBack: db.prepare(`
      UPDATE members SET counted_read = ?, posts_before = posts_before - ?, own_posts = own_posts + ?,
        mentions = mentions + ? WHERE group_key = ? AND user_key = ?`),
    post: all<PostRow>(
      `SELECT sender_key, mentions, ${live('p')} AS live FROM messages p WHERE group_key = ? AND seq = ?`,
    ),
    addPosts: db.prepare('UPDATE groups SET posts = posts + ? WHERE group_key = ?'),
    addBefore: db.prepare(
      'UPDATE members SET posts_before = posts_before + ? WHERE group_key = ? AND counted_read >= ?',
    ),
    addOwn: db.prepare(`
      UPDATE members SET own_posts = own_posts + ?
      WHERE group_key = ? AND user_key = ? AND counted_read < ?`),
    addMention: db.prepare(`
      UPDATE members SET mentions = mentions + ?
      WHERE group_key = ? AND user_key = (SELECT user_key FROM users WHERE user_id = ?) AND counted_read < ?
        AND user_key <> ?`),
  }
}
