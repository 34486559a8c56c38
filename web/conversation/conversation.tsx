/**
 * Conversation: the messages of a group, and the composer.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MessageItem } from '../../client/store/types.ts'
import { useShell, useView } from '../shell.ts'
import { chooseFiles } from '../talk/talk-state.ts'
import { Button } from '../ui/button.tsx'
import { Composer } from './composer/composer.tsx'
import { useMode } from './composer/mode.ts'
import { ConversationHeader } from './conversation-header.tsx'
import { DropPlace } from './drop-place.tsx'
import { ActionMenu, type OpenMenu } from './list/action-menu.tsx'
import { formsOf, type ListContext } from './list/list-context.ts'
import { actionsOf, canEdit, seqOfId } from './list/message-actions.ts'
import { MessageList } from './list/message-list.tsx'
import { readingPlaceIn } from './list/reading-place.ts'
import { OpenDialog, type OpenDialogState } from './open-dialog.tsx'
import { useActions } from './use-actions.ts'

interface ConversationProps {
  readonly groupId: string
  /**
   * The message to show, by a link or a search hit; null opens where the reader was, or at the first unread
   * message.
   */
  readonly seq: number | null
}

export function Conversation({ groupId, seq }: ConversationProps) {
  const { store, navigation, fail } = useShell()
  const handle = useMemo(() => store.group(groupId), [store, groupId])
  const info = useView(handle.info)
  const members = useView(handle.members)
  const { userId: me, limits } = useView(store.me)
  const [mode, setMode] = useMode(handle, info)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const [dialog, setDialog] = useState<OpenDialogState | null>(null)
  const input = useRef<HTMLTextAreaElement>(null)
  const focusInput = useCallback(() => input.current?.focus(), [])
  const closeMenu = useCallback(() => setMenu(null), [])
  const isDirect = info?.kind === 'direct'
  const role = members.role

  const [start] = useState(() => (seq === null ? readingPlaceIn(handle) : null))
  // Opens at the message of the address, where the reader was, or at the first unread message.
  const isOpen = info !== null
  const [isPlaced, setPlaced] = useState(false)
  useEffect(() => {
    if (!isOpen) return
    setPlaced(true)
    const unread = handle.info.getSnapshot()?.unread ?? 0
    if (seq !== null) handle.jumpTo({ seq }).catch(fail)
    else if (start) {
      // The store may have released it, or moved the window.
      const { items } = handle.messages.getSnapshot()
      if (!items.some((item) => item.kind !== 'hole' && item.seq === start.seq))
        handle.jumpTo({ seq: start.seq }).catch(fail)
    } else if (unread > 0) handle.jumpTo('unread').catch(fail)
    // An earlier visit may have left the window elsewhere.
    else if (handle.messages.getSnapshot().hasNewer) handle.jumpTo('newest').catch(fail)
  }, [handle, isOpen, seq, start, fail])
  useEffect(() => {
    if (isOpen && matchMedia('(hover: hover)').matches) focusInput()
  }, [isOpen, focusInput])

  const actions = useActions({ handle, me, setMode, setDialog, focusInput })
  const names = useMemo(() => new Map(members.members.map(({ userId, name }) => [userId, name])), [members])
  const context = useMemo((): ListContext => {
    const nameOf = (userId: string) =>
      names.get(userId) || (info?.peer?.userId === userId ? info.peer.name : '') || userId
    return {
      ...actions,
      actionsOf: (item) => actionsOf(item, { role, isDirect, limits, now: Date.now() }),
      handle,
      me,
      isDirect,
      memberCount: names.size,
      nameOf,
      mentionablesOf: ({ mentions }) =>
        mentions.map((userId) => ({ userId, forms: formsOf(userId, nameOf(userId)) })),
      openMenu: (item, x, y) => setMenu({ item, x, y }),
      jumpTo: (messageId) => {
        handle.jumpTo({ seq: seqOfId(messageId) }).catch(fail)
      },
      openPerson: () => navigation.go({ panel: 'members' }),
    }
    // The title and the like change often, and the rows do not show them.
  }, [
    actions,
    role,
    limits,
    handle,
    me,
    isDirect,
    names,
    info?.peer?.userId,
    info?.peer?.name,
    navigation,
    fail,
  ])

  const lastOwn = useCallback((): MessageItem | null => {
    const { items } = handle.messages.getSnapshot()
    const rules = { role, isDirect, limits, now: Date.now() }
    const own = items.findLast(
      (item) => item.kind === 'message' && item.type === 'text' && canEdit(item, rules),
    )
    return own?.kind === 'message' ? own : null
  }, [handle, role, isDirect, limits])

  if (!info) return <NotThere />
  const own = members.members.find(({ userId }) => userId === me)
  const canWrite = (own?.mutedUntil ?? 0) <= Date.now()
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files are attached by a button as well.
    <div
      class="conversation"
      data-drop-files={canWrite || undefined}
      onDrop={(event) => {
        const files = [...(event.dataTransfer?.files ?? [])]
        if (files.length === 0 || !canWrite) return
        event.preventDefault()
        chooseFiles(handle, files)
      }}
    >
      <ConversationHeader handle={handle} info={info} members={members} />
      <MessageList
        handle={handle}
        start={start}
        isPlaced={isPlaced}
        context={context}
        onEscape={focusInput}
      />
      <Composer
        handle={handle}
        info={info}
        members={members}
        mode={mode}
        setMode={setMode}
        input={input}
        lastOwn={lastOwn}
      />
      {canWrite && <DropPlace title={info.title} />}
      {menu && (
        <ActionMenu
          {...menu}
          me={me}
          actions={context.actionsOf(menu.item)}
          recallMs={menu.item.createdAt + (limits?.recallWindowMs ?? 0) - Date.now()}
          onClose={closeMenu}
          onReact={(emoji) => {
            setMenu(null)
            context.react(menu.item, emoji)
          }}
          onRun={(action) => {
            setMenu(null)
            context.run(action, menu.item)
          }}
        />
      )}
      {dialog && <OpenDialog state={dialog} context={context} onClose={() => setDialog(null)} />}
    </div>
  )
}

/** In place of a group that the user is not in, or no longer. */
function NotThere() {
  const { texts, navigation } = useShell()
  const title = useRef<HTMLHeadingElement>(null)
  // It was in the conversation.
  useEffect(() => {
    if (document.activeElement === document.body) title.current?.focus()
  }, [])
  return (
    <div class="empty">
      <h2 ref={title} tabIndex={-1}>
        {texts.conversation.notThere}
      </h2>
      <p>{texts.conversation.notThereText}</p>
      <span class="back-button">
        <Button icon="back" onClick={() => navigation.go({ groupId: null })}>
          {texts.shell.back}
        </Button>
      </span>
    </div>
  )
}
