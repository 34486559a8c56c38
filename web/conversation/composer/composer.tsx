/**
 * Composer: where messages are written. Its text is the draft of the group, stored at each change; while a
 * message is edited or answered, that is shown above it, and Escape ends it.
 *
 * Enter sends and Shift+Enter begins a line, except while an input method composes a character.
 */
import type { RefObject } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type {
  DraftMode,
  GroupHandle,
  GroupItem,
  MembersView,
  MessageItem,
} from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { ComposerTools } from '../../talk/composer-tools.tsx'
import { FilesDialog } from '../../talk/files-dialog.tsx'
import { chooseFiles, chosenIn } from '../../talk/talk-state.ts'
import { IconButton } from '../../ui/button.tsx'
import { EmojiButton } from '../emoji-button.tsx'
import { type Completion, complete, completionAt } from './completion.ts'
import { type Choice, CompletionList, useChoices } from './completion-list.tsx'
import { editOf, messageOf, type SetMode } from './mode.ts'
import { ModeBar } from './mode-bar.tsx'
import { StatusLine } from './status-line.tsx'
import { bytesOf, mentionsIn } from './written.ts'

interface ComposerProps {
  readonly handle: GroupHandle
  readonly info: GroupItem
  readonly members: MembersView
  readonly mode: DraftMode | null
  readonly setMode: SetMode
  readonly input: RefObject<HTMLTextAreaElement | null>
  /** The user's last message that can be edited. */
  readonly lastOwn: () => MessageItem | null
}

/** The size is shown from this share of the limit on. */
const NEAR = 0.8

export function Composer({ handle, info, members, mode, setMode, input, lastOwn }: ComposerProps) {
  const { store, texts, fail } = useShell()
  const t = texts.conversation
  const me = useView(store.me)
  const [text, setText] = useText({ handle, info, mode, setMode, input })
  const [completion, setCompletion] = useState<Completion | null>(null)
  const [at, setAt] = useState(0)
  const choices = useChoices(completion, members, me.userId)
  const hasFiles = useView(chosenIn(handle)).length > 0
  const caret = useRef<number | null>(null)
  const listId = useId()
  const maxBytes = me.limits?.maxContentBytes ?? 32_768
  const bytes = text.length * 3 > maxBytes * NEAR ? bytesOf(text) : 0
  const isOver = bytes > maxBytes
  const canSend = text.trim() !== '' && !isOver

  // The height follows the text; the browser limits it by max-height.
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when the text changes.
  useLayoutEffect(() => {
    const area = input.current
    if (!area) return
    fitHeight(area)
    if (caret.current !== null) area.setSelectionRange(caret.current, caret.current)
    caret.current = null
  }, [text, input])
  useEffect(() => {
    const fit = () => input.current && fitHeight(input.current)
    addEventListener('resize', fit)
    return () => removeEventListener('resize', fit)
  }, [input])

  const write = (next: string, at?: number) => {
    caret.current = at ?? null
    setText(next)
  }
  const choose = (choice: Choice) => {
    const area = input.current
    if (!completion || !area) return
    const done = complete(text, area.selectionStart, completion, choice.text)
    setCompletion(null)
    write(done.text, done.caret)
    area.focus()
  }
  const insert = (piece: string) => {
    const area = input.current
    const from = area?.selectionStart ?? text.length
    const to = area?.selectionEnd ?? text.length
    write(text.slice(0, from) + piece + text.slice(to), from + piece.length)
    area?.focus()
  }
  const end = () => {
    setMode(null)
    setCompletion(null)
  }
  /** Files can be sent during an edit, which goes on. */
  const endReply = () => {
    if (mode?.kind === 'reply') end()
  }
  const send = () => {
    if (!canSend) return
    const content = text.trim()
    const mentions = mentionsIn(content, members.members)
    if (mode?.kind === 'edit') {
      if (content !== messageOf(mode, handle.messages.getSnapshot())?.content)
        handle.edit(mode.messageId, content, mentions).catch(fail)
    } else {
      handle.send({ content, mentions, ...(mode && { replyToId: mode.messageId }) })
      setText('')
    }
    end()
    input.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // 229 is the key of an input method in browsers that do not set `isComposing` in time.
    if (event.isComposing || event.keyCode === 229) return
    const { key } = event
    if (choices.length > 0 && !event.shiftKey) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[key]
      if (step !== undefined) setAt((at + step + choices.length) % choices.length)
      else if (key === 'Enter' || key === 'Tab') choose(choices[Math.min(at, choices.length - 1)] as Choice)
      else if (key === 'Escape') setCompletion(null)
      else return
    } else if (key === 'Enter' && !event.shiftKey && !event.altKey) send()
    else if (key === 'Escape' && mode) end()
    else if (key === 'ArrowUp' && text === '' && !mode) {
      const own = lastOwn()
      if (!own) return
      setMode(editOf(own))
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const onPaste = (event: ClipboardEvent) => {
    const files = pastedFiles(event.clipboardData)
    if (files.length === 0) return
    event.preventDefault()
    chooseFiles(handle, files)
  }
  const replyToId = mode?.kind === 'reply' ? mode.messageId : undefined

  return (
    <>
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <StatusLine handle={handle} info={info} onUndone={(content) => write(text === '' ? content : text)} />
        {choices.length > 0 && <CompletionList id={listId} choices={choices} at={at} onChoose={choose} />}
        {mode && <ModeBar key={mode.messageId} handle={handle} mode={mode} onEnd={end} />}
        <div class="composer-row">
          {mode?.kind !== 'edit' && <ComposerTools handle={handle} replyToId={replyToId} onSent={end} />}
          <div class="composer-field">
            <textarea
              ref={input}
              rows={1}
              class="composer-input"
              value={text}
              placeholder={t.placeholder}
              aria-label={mode?.kind === 'edit' ? t.editLabel : t.writeTo(info.title)}
              aria-autocomplete="list"
              aria-controls={choices.length > 0 ? listId : undefined}
              aria-activedescendant={choices.length > 0 ? `${listId}-${at}` : undefined}
              aria-invalid={isOver}
              autocapitalize="sentences"
              enterkeyhint="send"
              onInput={(event) => {
                const area = event.currentTarget
                setText(area.value)
                setCompletion(completionAt(area.value, area.selectionStart))
                setAt(0)
                if (mode?.kind !== 'edit' && area.value !== '') handle.typing()
              }}
              onKeyDown={onKeyDown}
              onBlur={() => setCompletion(null)}
              onPaste={onPaste}
            />
            <EmojiButton label={t.emoji} onChoose={insert} />
          </div>
          <IconButton
            icon={mode?.kind === 'edit' ? 'check' : 'send'}
            kind="primary"
            label={mode?.kind === 'edit' ? t.save : t.send}
            disabled={!canSend}
            onClick={send}
          />
        </div>
        {bytes > maxBytes * NEAR && (
          <p class={isOver ? 'composer-size composer-over' : 'composer-size'} role="status">
            {isOver ? t.bytesOver(bytes - maxBytes) : t.bytesLeft(maxBytes - bytes)}
          </p>
        )}
      </form>
      {/* Not in the form, which would be submitted with that of the dialog. */}
      {hasFiles && <FilesDialog handle={handle} replyToId={replyToId} onSent={endReply} />}
    </>
  )
}

function fitHeight(area: HTMLElement): void {
  area.style.height = 'auto'
  area.style.height = `${area.scrollHeight}px`
}

/** The files of a paste. Copied cells and formatted text carry a picture of themselves: the text is meant. */
function pastedFiles(data: DataTransfer | null): readonly File[] {
  const isText = data?.types.includes('text/html') && data.getData('text/plain').trim() !== ''
  return isText ? [] : [...(data?.files ?? [])]
}

interface TextOptions extends Pick<ComposerProps, 'handle' | 'info' | 'mode' | 'setMode'> {
  readonly input: RefObject<Element | null>
}

/**
 * The text: the draft of the group, which other tabs change too, or the message that is edited. What is
 * typed here is not replaced by the store while it has the focus and the store lags behind the keys.
 */
function useText({ handle, info, mode, setMode, input }: TextOptions) {
  const [typed, setTyped] = useState<{ readonly edited: string; readonly text: string } | null>(null)
  const edited = mode?.kind === 'edit' ? mode.messageId : ''
  const stored = mode?.kind === 'edit' ? mode.text : info.draft
  useEffect(() => {
    const hasFocus = document.hasFocus() && document.activeElement === input.current
    const lags = (before: { readonly edited: string; readonly text: string }) =>
      hasFocus && before.edited === edited && before.text !== stored
    setTyped((before) => (before && lags(before) ? before : null))
  }, [stored, edited, input])
  const setText = (text: string) => {
    setTyped({ edited, text })
    if (mode?.kind === 'edit') setMode({ ...mode, text })
    else handle.setDraft(text)
  }
  return [typed?.edited === edited ? typed.text : stored, setText] as const
}
