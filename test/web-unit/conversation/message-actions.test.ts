/**
 * Actions of a message, by its state and the role of the user.
 */
import { describe, expect, test } from 'vitest'
import type { MessageItem } from '../../../client/store/types.ts'
import { actionOfKey, actionsOf, canEdit, seqOfId } from '../../../web/conversation/list/message-actions.ts'
import { aMessage, MINUTE, NOON } from './items.ts'

const limits = {
  maxContentBytes: 100,
  maxUploadBytes: 100,
  editWindowMs: 60 * MINUTE,
  recallWindowMs: 5 * MINUTE,
}
const rules = { role: 'member', isDirect: false, limits, now: NOON } as const
const mine = aMessage(1, { mine: true, createdAt: NOON })

describe('actions of a message', () => {
  test('of others are to react, answer and copy, for moderators also to pin and delete', () => {
    expect(actionsOf(aMessage(1), rules)).toEqual(['react', 'reply', 'copy', 'unread'])
    expect(actionsOf(aMessage(1), { ...rules, role: 'moderator' })).toEqual([
      'react',
      'reply',
      'copy',
      'pin',
      'unread',
      'delete',
    ])
  })

  test('of a direct chat do not delete messages of the other', () => {
    expect(actionsOf(aMessage(1), { ...rules, role: 'admin', isDirect: true })).not.toContain('delete')
  })

  test('of the user end with the windows of the server', () => {
    expect(actionsOf(mine, rules)).toEqual(['react', 'reply', 'edit', 'copy', 'receipts', 'recall', 'delete'])
    expect(actionsOf(mine, { ...rules, now: NOON + 6 * MINUTE })).not.toContain('recall')
    expect(canEdit(mine, { ...rules, now: NOON + 61 * MINUTE })).toBe(false)
    expect(
      canEdit(mine, {
        ...rules,
        limits: { ...limits, editWindowMs: Number.POSITIVE_INFINITY },
        now: NOON + 9e9,
      }),
    ).toBe(true)
  })

  test('of one that failed are to retry or discard it, of one that waits to copy it', () => {
    expect(actionsOf(aMessage(1, { mine: true, state: 'failed', messageId: undefined }), rules)).toEqual([
      'retry',
      'copy',
      'discard',
    ])
    expect(actionsOf(aMessage(1, { mine: true, state: 'pending', messageId: undefined }), rules)).toEqual([
      'copy',
    ])
  })

  test('of a deleted one do nothing to it', () => {
    expect(actionsOf(aMessage(1, { deletedAt: 1, content: '' }), { ...rules, role: 'admin' })).toEqual([
      'unread',
    ])
  })

  test('have keys', () => {
    const actions = (item: MessageItem) =>
      ['e', 'R', 'Delete', '+', 'P', 'x'].map((key) => actionOfKey(key, item))
    expect(actions(aMessage(1))).toEqual(['edit', 'reply', 'delete', 'react', 'pin', null])
    expect(actions(aMessage(1, { state: 'failed', pinnedAt: 1 }))).toEqual([
      'edit',
      'reply',
      'discard',
      'react',
      'unpin',
      null,
    ])
  })

  test('read the seq from the id', () => {
    expect(seqOfId('group:17')).toBe(17)
  })
})
