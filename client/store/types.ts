/**
 * Store types: what the views of a `ChatStore` show, and what can be done with them.
 *
 * A view is a value that changes over time: `getSnapshot` returns the current value, the same object
 * until something in it changes, and `subscribe` calls a listener after each change, at most once for
 * each turn of the event loop. React's `useSyncExternalStore` and the stores of other frameworks accept
 * a view unchanged. Snapshots are never modified.
 */
import type { ErrorCode } from '../../protocol/errors.ts'
import type { File, Invitation, Member, Message, Reaction, SearchHit, User } from '../../protocol/records.ts'

/** A value that changes over time. */
export interface View<T> {
  /** Calls `listener` after each change. The returned function ends that. */
  subscribe(listener: () => void): () => void
  /** The current value; the same object until it changes. */
  getSnapshot(): T
}

/** Why a request of the user was not carried out. */
export interface Failure {
  /** A code of the protocol, or of the client: `connection_lost`, `timeout`, `closed`, `refused`. */
  readonly code: ErrorCode | 'connection_lost' | 'timeout' | 'closed' | 'refused'
  /** For people, in English. */
  readonly message: string
}

/**
 * The connection as it is.
 * - `idle`: `connect` was not called.
 * - `connecting`: a connection is being opened, or its token is being verified.
 * - `catching_up`: connected; missed events are still arriving.
 * - `live`: everything that happened is shown.
 * - `waiting`: no connection since `since`; the next attempt is made at `retryAt`.
 * - `offline`: the browser reports that there is no network since `since`.
 * - `refused`: the server does not accept the token. Nothing is lost: call `connect` with a new token.
 * - `signed_out`: `signOut` was called.
 * Times are milliseconds since 1970.
 */
export type ConnectionView =
  | { readonly state: 'idle' | 'connecting' | 'catching_up' | 'live' | 'signed_out' }
  | { readonly state: 'offline'; readonly since: number }
  | { readonly state: 'waiting'; readonly since: number; readonly retryAt: number }
  | { readonly state: 'refused'; readonly closeCode: number; readonly reason: string }

/** The signed-in user. `userId` is empty before it is known. */
export interface MeView {
  readonly userId: string
  readonly name: string
  readonly picture?: string | undefined
  readonly status: User['status']
  /** The limits of the server; null before the first connection. */
  readonly limits: {
    readonly maxContentBytes: number
    readonly maxUploadBytes: number
    /** Infinity for no limit. */
    readonly editWindowMs: number
    readonly recallWindowMs: number
  } | null
}

export interface Person {
  readonly userId: string
  readonly name: string
  readonly picture?: string | undefined
}

/** A group in the list of groups. */
export interface GroupItem {
  readonly groupId: string
  readonly kind: 'group' | 'direct'
  readonly visibility: 'private' | 'open'
  /** The name of the group; of a direct chat the other user's name. */
  readonly title: string
  readonly topic?: string | undefined
  readonly picture?: string | undefined
  readonly memberCount: number
  /** The other user of a direct chat. */
  readonly peer?: Person | undefined
  /** The other user's presence in a direct chat, once it is known. */
  readonly presence?: User['status'] | undefined
  readonly lastSeenAt?: number | undefined
  readonly unread: number
  readonly mentions: number
  /** The seq up to which the user has read. */
  readonly readSeq: number
  /** The newest message, pending ones of the user included. */
  readonly lastMessage?: MessageItem | undefined
  readonly lastActivityAt: number
  /** Who is typing, without the user. */
  readonly typing: readonly Person[]
  /** Notifications are off until then. */
  readonly mutedUntil?: number | undefined
  /** The user's draft; empty for none. */
  readonly draft: string
  /** What the draft is instead of a new message. */
  readonly draftMode?: DraftMode | undefined
  /** Messages that wait to be sent, and those that failed. */
  readonly pending: number
  readonly failed: number
}

/** What the user writes instead of a new message: the answer to a message, or a new text of their own. */
export type DraftMode =
  | { readonly kind: 'reply'; readonly messageId: string }
  /** `text` is what the message is to become; the draft stays beside it. */
  | { readonly kind: 'edit'; readonly messageId: string; readonly text: string }

export interface GroupsView {
  /** The most recently active first. */
  readonly groups: readonly GroupItem[]
  /** Whether all groups of the user are listed. */
  readonly isComplete: boolean
  readonly unread: number
  readonly mentions: number
}

/**
 * - `pending`: not yet acknowledged by the server; it is sent as soon as there is a connection.
 * - `sent`: stored by the server. `delivered`, `read`: by at least one other member (in a direct chat: the
 *   other user). Messages of others are `sent`.
 * - `failed`: refused by the server for the reason in `failure`; `retry` or `discard` it.
 */
export type MessageState = 'pending' | 'sent' | 'delivered' | 'read' | 'failed'

/** A message on show, with the user's changes that the server has not confirmed yet. */
export interface MessageItem {
  readonly kind: 'message'
  /** The same before and after it was acknowledged; unique in its group. */
  readonly key: string
  readonly groupId: string
  /** Undefined while it is pending or failed. */
  readonly messageId?: string | undefined
  readonly seq?: number | undefined
  readonly state: MessageState
  readonly failure?: Failure | undefined
  readonly mine: boolean
  readonly sender: Person
  readonly type: Message['type']
  readonly content: string
  readonly createdAt: number
  readonly replyToId?: string | undefined
  /** The message that it replies to, if it is known. */
  readonly replyTo?: QuotedMessage | undefined
  readonly file?: File | undefined
  /** The upload that its file is waiting for. */
  readonly uploadId?: string | undefined
  readonly mentions: readonly string[]
  readonly mentionsMe: boolean
  readonly editedAt?: number | undefined
  readonly deletedAt?: number | undefined
  readonly deletedBy?: string | undefined
  readonly recalledAt?: number | undefined
  readonly pinnedAt?: number | undefined
  readonly reactions: readonly Reaction[]
  /** An edit, deletion, reaction or pin of the user that is not yet confirmed. */
  readonly changing: boolean
  /** How many other members have received and read it; known for the user's own messages. */
  readonly deliveredBy: number
  readonly readBy: number
}

export interface QuotedMessage {
  readonly messageId: string
  readonly sender: Person
  readonly type: Message['type']
  readonly content: string
  readonly isDeleted: boolean
}

/** Something that happened in the group, between its messages. */
export interface NoticeItem {
  readonly kind: 'notice'
  readonly key: string
  readonly seq: number
  /** 0 for `lost`: it is not known. */
  readonly at: number
  readonly what: 'joined' | 'left' | 'removed' | 'banned' | 'renamed' | 'role' | 'lost'
  readonly by?: Person | undefined
  readonly about?: Person | undefined
  /** The new name or role. */
  readonly text?: string | undefined
}

/** Messages from `from` to `to` are not loaded. They are requested as soon as the item is part of the window's view. */
export interface HoleItem {
  readonly kind: 'hole'
  readonly key: string
  readonly from: number
  readonly to: number
}

export type Item = MessageItem | NoticeItem | HoleItem

/** A window of a group's messages, ascending. Pending and failed messages follow at the end. */
export interface WindowView {
  readonly items: readonly Item[]
  /** False until there is a page of the group's messages: without a connection, one that is cached. */
  readonly isLoaded: boolean
  readonly hasOlder: boolean
  /** There are newer messages than those of the window, after a jump. */
  readonly hasNewer: boolean
  readonly loading: 'older' | 'newer' | 'jump' | null
  /** The first message that was unread when the group was opened, for the line above it. */
  readonly firstUnreadSeq: number | null
  /** The target of the last jump, for the list to scroll to; it changes with each jump. */
  readonly target: { readonly key: string; readonly jump: number } | null
}

export interface MembersView {
  readonly members: readonly (Member & { readonly status?: User['status'] | undefined })[]
  readonly isComplete: boolean
  /** The user's own role; null if they are not a member. */
  readonly role: Member['role'] | null
  readonly onlineTotal: number
}

export interface PinsView {
  readonly pins: readonly MessageItem[]
  readonly isLoaded: boolean
}

export interface ReceiptsView {
  readonly delivered: readonly { readonly user: Person; readonly at: number }[]
  readonly read: readonly { readonly user: Person; readonly at: number }[]
}

export interface SearchView {
  readonly query: SearchQuery | null
  readonly hits: readonly SearchHit[]
  readonly state: 'idle' | 'searching' | 'done' | 'failed'
  readonly hasMore: boolean
  readonly failure?: Failure | undefined
}

export interface SearchQuery {
  readonly text: string
  readonly groupId?: string | undefined
  readonly senderId?: string | undefined
  readonly after?: number | undefined
  readonly before?: number | undefined
}

export interface UploadItem {
  readonly uploadId: string
  readonly groupId: string
  readonly fileName: string
  readonly mimeType: string
  readonly size: number
  /** What the server is known to have. After a reload it may have more, or nothing yet, until the upload continues. */
  readonly sent: number
  readonly state: 'waiting' | 'uploading' | 'paused' | 'done' | 'failed'
  readonly failure?: Failure | undefined
  /**
   * The file is stored on this device, so that the upload continues after a reload. Until then, and always where
   * there is no IndexedDB, the end of the page ends the upload: warn by `beforeunload`.
   */
  readonly isStored: boolean
  readonly width?: number | undefined
  readonly height?: number | undefined
}

export interface UploadsView {
  readonly uploads: readonly UploadItem[]
}

/** Invitations to groups, and direct chats of others that wait for the user's answer (PRV-2). */
export interface InvitationsView {
  readonly invitations: readonly Invitation[]
  readonly isLoaded: boolean
}

/** A message to send. */
export interface NewMessage {
  readonly content: string
  readonly type?: Message['type'] | undefined
  readonly replyToId?: string | undefined
  readonly mentions?: readonly string[] | undefined
  readonly file?: NewFile | undefined
}

/** A file to upload and post. */
export interface NewFile {
  readonly blob: Blob
  readonly fileName: string
  /** For images and videos, so that their place can be reserved before they load. */
  readonly width?: number | undefined
  readonly height?: number | undefined
}

/** One group: its views, and what the user can do in it. Obtained by `store.group(groupId)`. */
export interface GroupHandle {
  readonly groupId: string
  /** The group as in the list of groups; null if the user is not in it. */
  readonly info: View<GroupItem | null>
  /** While it has a subscriber, the newest messages or the place of the last jump are loaded. */
  readonly messages: View<WindowView>
  /** Loaded and updated while it has a subscriber. */
  readonly members: View<MembersView>
  readonly pins: View<PinsView>

  /** Moves the window by a page. While something is loaded already, waits for that. */
  loadOlder(): Promise<void>
  loadNewer(): Promise<void>
  /** Shows the messages around a seq, those at the start of a time (milliseconds), or the newest. */
  jumpTo(place: { readonly seq: number } | { readonly time: number } | 'newest' | 'unread'): Promise<void>

  /** Shows and sends a message; returns its key. The user's draft of the group and its mode are removed. */
  send(message: NewMessage): string
  retry(key: string): void
  discard(key: string): void
  /**
   * Changes of a message are shown at once; the promise rejects with a `Failure` after they are rolled back. The
   * text of an edit that is refused is added to the draft.
   */
  edit(messageId: string, content: string, mentions?: readonly string[]): Promise<void>
  delete(messageId: string): Promise<void>
  recall(messageId: string): Promise<void>
  react(messageId: string, emoji: string): Promise<void>
  unreact(messageId: string, emoji: string): Promise<void>
  pin(messageId: string): Promise<void>
  unpin(messageId: string): Promise<void>
  /** Who received and read one of the messages. */
  receipts(messageId: string): Promise<ReceiptsView>

  /** Marks everything up to `seq` as read; the newest message by default. */
  markRead(seq?: number): void
  markUnread(seq: number): Promise<void>
  /** Call it at each key press; `typing_stop` follows by itself. */
  typing(): void
  /** Stored at once and shared with other tabs. Without `mode` it stays; null removes it. */
  setDraft(text: string, mode?: DraftMode | null): void

  update(fields: {
    readonly name?: string
    readonly topic?: string
    readonly visibility?: 'private' | 'open'
  }): Promise<void>
  /** Notifications off until then; null for on. */
  mute(until: number | null): Promise<void>
  leave(): Promise<void>
  addMember(userId: string): Promise<void>
  invite(userId: string): Promise<void>
  removeMember(userId: string): Promise<void>
  ban(userId: string): Promise<void>
  muteMember(userId: string, until: number | null): Promise<void>
  setRole(userId: string, role: Member['role']): Promise<void>
}

/** What happened, for devtools: each event of the wire, each change of the user, each change of state. */
export interface DevtoolsEvent {
  readonly at: number
  readonly what: 'event' | 'request' | 'answer' | 'state' | 'cache' | 'tabs'
  readonly name: string
  readonly detail?: unknown
}

/** A message between the apps of members, for instance to set up a call. */
export interface Signal {
  readonly groupId: string
  readonly fromUserId: string
  readonly toUserId?: string | undefined
  readonly kind: string
  readonly payload: string
}

/** The state of the chats of one user. */
export interface Store {
  readonly connection: View<ConnectionView>
  readonly me: View<MeView>
  readonly groups: View<GroupsView>
  readonly search: View<SearchView>
  readonly uploads: View<UploadsView>
  readonly invitations: View<InvitationsView>

  /** Shows the cached state. Resolves when it is on show; needs no network. `connect` calls it too. */
  open(): Promise<void>
  /** Connects, and stays connected until `close` or `signOut`. */
  connect(): void
  /** Ends the connection; what is unsent stays stored. */
  close(): Promise<void>
  /** Ends the connection and removes everything of the user from this device, in all tabs. */
  signOut(): Promise<void>

  group(groupId: string): GroupHandle
  /** Loads the next page of groups, where there are more. */
  loadMoreGroups(): Promise<void>
  createGroup(fields: {
    readonly name: string
    readonly members: readonly string[]
    readonly visibility?: 'private' | 'open'
  }): Promise<string>
  /** Opens the direct chat with a user; resolves with its groupId. */
  direct(userId: string): Promise<string>
  join(groupId: string): Promise<void>
  decline(groupId: string): Promise<void>
  setStatus(status: User['status']): Promise<void>
  block(userId: string): Promise<void>
  unblock(userId: string): Promise<void>
  blocked(): Promise<readonly User[]>
  contacts(): Promise<readonly User[]>
  searchUsers(query: string): Promise<readonly User[]>

  find(query: SearchQuery | null): Promise<void>
  findMore(): Promise<void>

  pauseUpload(uploadId: string): void
  resumeUpload(uploadId: string): void
  abortUpload(uploadId: string): void
  /** The bytes of a file of a message, with the user's token. */
  fileUrl(file: File): Promise<string>

  /** Calls `listener` for each signal of another member, for calls. */
  onSignal(listener: (signal: Signal) => void): () => void
  /** Sends a signal to a member of a group, or to all of them; it is not stored. */
  signal(signal: Omit<Signal, 'fromUserId'>): Promise<void>

  /** Calls `listener` for each event of the devtools stream. */
  onDevtools(listener: (event: DevtoolsEvent) => void): () => void
}
