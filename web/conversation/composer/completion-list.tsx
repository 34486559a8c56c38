/**
 * The choices for the word before the caret, above the composer. The focus stays in the text: the chosen
 * one is stated by `aria-activedescendant`.
 */
import { useEffect, useState } from 'preact/hooks'
import type { MembersView } from '../../../client/store/types.ts'
import { type Emoji, loadEmoji, searchEmoji } from '../../emoji/emoji-data.ts'
import { withSkinTone } from '../../emoji/skin-tone.ts'
import { useShell, useView } from '../../shell.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { type Completion, matchingMembers } from './completion.ts'

export interface Choice {
  readonly id: string
  /** What is inserted. */
  readonly text: string
  readonly label: string
  readonly detail: string
  readonly userId?: string
  readonly picture?: string | undefined
}

const MAX_CHOICES = 8

/** The choices for a completion; empty for none. */
export function useChoices(
  completion: Completion | null,
  { members }: MembersView,
  me: string,
): readonly Choice[] {
  const { format, preferences } = useShell()
  const { skinTone } = useView(preferences)
  const [emoji, setEmoji] = useState<readonly Emoji[]>([])
  const isEmoji = completion?.kind === 'emoji'
  useEffect(() => {
    if (!isEmoji) return
    let isCurrent = true
    loadEmoji(format.locale).then(
      (all) => isCurrent && setEmoji(all),
      () => {},
    )
    return () => {
      isCurrent = false
    }
  }, [isEmoji, format])
  if (!completion) return []
  if (completion.kind === 'emoji') {
    return searchEmoji(emoji, completion.query, MAX_CHOICES).map((one) => {
      const text = withSkinTone(one.emoji, skinTone)
      return { id: one.emoji, text, label: `${text} ${one.label}`, detail: `:${one.names[0] ?? ''}:` }
    })
  }
  const others = members.filter((member) => member.userId !== me)
  return matchingMembers(others, completion.query, MAX_CHOICES).map(({ userId, name, picture }) => ({
    id: userId,
    text: name || userId,
    label: name || userId,
    detail: name && name !== userId ? userId : '',
    userId,
    picture,
  }))
}

interface CompletionListProps {
  readonly id: string
  readonly choices: readonly Choice[]
  readonly at: number
  readonly onChoose: (choice: Choice) => void
}

export function CompletionList({ id, choices, at, onChoose }: CompletionListProps) {
  const { texts } = useShell()
  return (
    <div id={id} class="completions" role="listbox" aria-label={texts.conversation.completions}>
      {choices.map((choice, i) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text.
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text.
        <div
          key={choice.id}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === at}
          class="completion"
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(choice)}
        >
          {choice.userId !== undefined && (
            <Avatar id={choice.userId} name={choice.label} picture={choice.picture} size={24} />
          )}
          <span class="grow ellipsis">{choice.label}</span>
          <span class="soft small ellipsis">{choice.detail}</span>
        </div>
      ))}
    </div>
  )
}
