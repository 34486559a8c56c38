/**
 * Conversation: the messages of a group, and the composer.
 */

interface ConversationProps {
  readonly groupId: string
  /** The message to show, by a link or a search hit; null opens at the first unread message. */
  readonly seq: number | null
}

export function Conversation({ groupId }: ConversationProps) {
  return <h1>{groupId}</h1>
}
