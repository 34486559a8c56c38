/**
 * What the rows of a list of messages share. A new object renders all visible rows again.
 */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { GroupHandle, MessageItem } from '../../../client/store/types.ts'
import type { Mentionable } from '../../text/inline.ts'
import type { ActionName } from './message-actions.ts'

export interface ListContext {
  readonly handle: GroupHandle
  readonly me: string
  readonly isDirect: boolean
  readonly memberCount: number
  /** The name of a member, or the id if it is not known. */
  nameOf(userId: string): string
  mentionablesOf(item: MessageItem): readonly Mentionable[]
  run(action: ActionName, item: MessageItem): void
  /** What the user can do with a message now. */
  actionsOf(item: MessageItem): readonly ActionName[]
  /** Opens the menu of actions at a point of the window. */
  openMenu(item: MessageItem, x: number, y: number): void
  react(item: MessageItem, emoji: string): void
  /** Copies a part of a message. */
  copy(text: string): void
  showReactions(item: MessageItem): void
  jumpTo(messageId: string): void
  openPerson(userId: string): void
}

export const ListContext = createContext<ListContext | null>(null)

export function useList(): ListContext {
  const context = useContext(ListContext)
  if (!context) throw new Error('useList is only for rows of a MessageList')
  return context
}

/** How texts may write a member after `@`: the name, its first word and the id, as the server reads them (MEN-1). */
export function formsOf(userId: string, name: string): readonly string[] {
  const first = name.split(/\s/u, 1)[0] ?? ''
  return [...new Set([name, first, userId])].filter((form) => form !== '')
}
