/**
 * Unread: the counters behind unread counts and mentions.
 *
 * A group counts its posts up to `counted_seq`; a member has a mark `counted_read`, the group's
 * posts up to it, and from it to `counted_seq` their own posts and those that mention them. Posts
 * that are gone count nowhere. All of it follows behind: `counted_seq` behind the posts,
 * `counted_read` behind `read_seq`, so that a post is one row and a receipt another. A reader
 * corrects both ends by counting a few posts itself (`unreadColumns`); how few, `MAX_UNCOUNTED` and `MAX_BEHIND` see
 * to. What was not counted when a process died is still to be seen in the marks.
 */
import type { Database, Statement } from 'better-sqlite3'
import { live } from './unread-columns.ts'

/** Posts of a group that readers count themselves; then the counters catch up. */
const MAX_UNCOUNTED = 256
/** Numbers that a member's mark may be behind what they have read. */
const MAX_BEHIND = 1_024
/** Groups to catch up with, kept in memory; above it all do. */
const MAX_PENDING = 100_000
/** Up to so many numbers below the newest, readers' marks are moved with one look at the posts. */
const NEAR_TOP = 4_096

interface PostRow {
  readonly sender_key: number
  readonly mentions: string | null
  readonly live: 0 | 1
}

interface BehindRow {
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
  /** Groups where something is not counted yet, by key, and how many posts of them. */
  readonly #pending = new Map<number, number>()

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** A post was written. */
  posted(group: number): void {
    const posts = (this.#pending.get(group) ?? 0) + 1
    this.#pending.set(group, posts)
    if (posts >= MAX_UNCOUNTED) this.#catchUp(group)
    this.#bound()
  }

  /** A member's read mark has moved, forward or back. */
  read(group: number, user: number): void {
    const [readSeq, joinedSeq, countedRead] = this.#sql.marks.get(group, user) ?? [0, 0, 0]
    // What was posted before they joined was never counted.
    const mark = Math.max(readSeq, joinedSeq)
    if (mark < countedRead) {
      this.countPosts(group)
      this.#moveBack(group, user, mark, countedRead)
    } else if (readSeq - countedRead > MAX_BEHIND) {
      this.countPosts(group)
      this.#moveMarks(group, user)
    } else if (readSeq > countedRead && !this.#pending.has(group)) {
      this.#pending.set(group, 0)
      this.#bound()
    }
  }

  /** Messages were marked unread (UNR-1): counts what lies between. The group's posts are counted before. */
  #moveBack(group: number, user: number, mark: number, countedRead: number): void {
    const [posts, own] = this.#sql.between.get(user, group, mark, countedRead) ?? [0, 0]
    const mentions = this.#sql.mentionsBetween.get(user, group, mark, countedRead) ?? 0
    this.#sql.moveBack.run(mark, posts, own, mentions, group, user)
  }

  /** A post is about to change: it may be gone from now on, or mention others. */
  changing(group: number, seq: number, gone: boolean, mentions: readonly string[]): void {
    const sql = this.#sql
    const before = sql.post.get(group, seq)
    if (!before || seq > (sql.countedSeq.get(group) ?? 0)) return
    const more = (gone ? 0 : 1) - before.live
    if (more !== 0) {
      sql.addPosts.run(more, group)
      sql.addBefore.run(more, group, seq)
      sql.addOwn.run(more, group, before.sender_key, seq)
    }
    const mentionedBefore = new Set(before.live ? parseMentions(before.mentions) : [])
    const mentionedAfter = new Set(gone ? [] : mentions)
    for (const userId of mentionedBefore) {
      if (!mentionedAfter.has(userId)) sql.addMention.run(-1, group, userId, seq, before.sender_key)
    }
    for (const userId of mentionedAfter) {
      if (!mentionedBefore.has(userId)) sql.addMention.run(1, group, userId, seq, before.sender_key)
    }
  }

  /** Counts a group's posts above `counted_seq`: before somebody comes or goes. */
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

  #bound(): void {
    if (this.#pending.size > MAX_PENDING) this.settle()
  }

  /** Moves marks up to what was read: of one user, or of all members. Posts are counted before. */
  #moveMarks(group: number, user: number | null): void {
    const behind = user === null ? this.#sql.behind.all(group) : this.#sql.behindOne.all(group, user)
    if (behind.length === 0) return
    const [posts = 0, countedSeq = 0] = this.#sql.counted.get(group) ?? []
    const near = behind.filter(({ read_seq }) => countedSeq - read_seq <= NEAR_TOP)
    const lowest = near.reduce((least, { read_seq }) => Math.min(least, read_seq), countedSeq)
    const above = lowest < countedSeq ? this.#postsAbove(group, lowest) : nobody
    for (const member of behind) {
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

  /** A mark in the middle of much that is unread: counts the shorter way, from below or from above. */
  #moveFar(group: number, member: BehindRow, posts: number, countedSeq: number): void {
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

  /** The seqs of a group's posts above a number: of all, of each sender, and for each one mentioned. */
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

const nobody: Above = { all: [], own: new Map(), mentions: new Map() }

function parseMentions(mentions: string | null): readonly string[] {
  return mentions === null ? [] : (JSON.parse(mentions) as string[])
}

function pushTo(lists: Map<number, number[]>, key: number, seq: number): void {
  const list = lists.get(key)
  if (list) list.push(seq)
  else lists.set(key, [seq])
}

/** How many of the ascending numbers are above one. */
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
  const behind = `SELECT user_key, read_seq, counted_read, posts_before, own_posts, mentions FROM members
    WHERE group_key = ? AND read_seq > counted_read`
  // Everybody whom a post mentions, but its sender.
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
    behind: all<BehindRow>(behind),
    behindOne: all<BehindRow>(`${behind} AND user_key = ?`),
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
