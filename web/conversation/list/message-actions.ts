/**
 * What the user can do with a message: the actions of its menu, in their order.
 *
 * The server decides; this only leaves out what it would refuse (docs/PERMISSIONS.md).
 */
import type { MembersView, MessageItem, MeView } from '../../../client/store/types.ts'

export type ActionName =
  | 'react'
  | 'reply'
  | 'edit'
  | 'copy'
  | 'pin'
  | 'unpin'
  | 'receipts'
  | 'unread'
  | 'retry'
  | 'discard'
  | 'recall'
  | 'delete'

export interface ActionRules {
  readonly role: MembersView['role']
  readonly isDirect: boolean
  readonly limits: MeView['limits']
  readonly now: number
}

/** The actions that are possible for a message. */
export function actionsOf(item: MessageItem, rules: ActionRules): readonly ActionName[] {
  if (item.state === 'failed') return ['retry', 'copy', 'discard']
  if (isDeleted(item)) return item.seq === undefined ? [] : ['unread']
  const copy: ActionName[] = item.content === '' ? [] : ['copy']
  if (item.messageId === undefined) return copy
  const { role, isDirect, limits, now } = rules
  const isModerator = role === 'admin' || role === 'moderator'
  const age = now - item.createdAt
  const actions: ActionName[] = ['react', 'reply']
  if (canEdit(item, rules)) actions.push('edit')
  actions.push(...copy)
  if (isModerator) actions.push(item.pinnedAt === undefined ? 'pin' : 'unpin')
  actions.push(item.mine ? 'receipts' : 'unread')
  if (item.mine && limits && age <= limits.recallWindowMs) actions.push('recall')
  if (item.mine || (isModerator && !isDirect)) actions.push('delete')
  return actions
}

/** Whether the user can change the text of a message. */
export function canEdit(item: MessageItem, { limits, now }: ActionRules): boolean {
  if (!item.mine || item.messageId === undefined || isDeleted(item)) return false
  return limits === null || now - item.createdAt <= limits.editWindowMs
}

/** Deleted or recalled. */
export function isDeleted(item: MessageItem): boolean {
  return item.deletedAt !== undefined || item.recalledAt !== undefined
}

/** The action of a key on a message, which the user may not be allowed; null for none. */
export function actionOfKey(key: string, item: MessageItem): ActionName | null {
  const names: Readonly<Record<string, ActionName>> = {
    e: 'edit',
    r: 'reply',
    '+': 'react',
    c: 'copy',
    u: 'unread',
    p: item.pinnedAt === undefined ? 'pin' : 'unpin',
  }
  if (key === 'Delete' || key === 'Backspace') return item.state === 'failed' ? 'discard' : 'delete'
  return names[key.toLowerCase()] ?? null
}

/** The seq in a message id, `<groupId>:<seq>` (IDN-3). */
export function seqOfId(messageId: string): number {
  return Number(messageId.slice(messageId.indexOf(':') + 1))
}
