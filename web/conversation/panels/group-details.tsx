/**
 * What a group is called and about, who can find it, whether it notifies, and how to leave it.
 */
import { useEffect, useState } from 'preact/hooks'
import type { GroupHandle, GroupItem } from '../../../client/store/types.ts'
import type { User } from '../../../protocol/records.ts'
import { GroupNameField } from '../../groups/group-name-field.tsx'
import { useShell, useView } from '../../shell.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../confirm-dialog.tsx'

interface GroupDetailsProps {
  readonly handle: GroupHandle
  readonly info: GroupItem
}

const HOUR_MS = 3_600_000
/** Far enough to be forever, and a safe time on every client. */
const FOREVER = Date.UTC(2100, 0, 1)

export function GroupDetails({ handle, info }: GroupDetailsProps) {
  const { texts, format, navigation, fail } = useShell()
  const { role } = useView(handle.members)
  const [isEditing, setEditing] = useState(false)
  const [isLeaving, setLeaving] = useState(false)
  const t = texts.conversation
  const isDirect = info.kind === 'direct'
  const isMuted = (info.mutedUntil ?? 0) > Date.now()
  const mute = (until: number | null) => {
    handle.mute(until).catch(fail)
  }
  const peer = info.peer?.userId
  return (
    <section class="stack group-details">
      <div class="group-face">
        <Avatar
          id={peer ?? info.groupId}
          name={info.title}
          picture={info.picture ?? info.peer?.picture}
          size={72}
          isGroup={!isDirect}
          presence={isDirect ? info.presence : undefined}
        />
        <h3>{info.title}</h3>
        {info.topic && <p class="soft">{info.topic}</p>}
        {!isDirect && <p class="soft small">{info.visibility === 'open' ? t.openGroup : t.privateGroup}</p>}
      </div>
      {isEditing && <EditForm handle={handle} info={info} onDone={() => setEditing(false)} />}
      <div class="group-buttons">
        {!isDirect && (role === 'admin' || role === 'moderator') && !isEditing && (
          <Button icon="edit" onClick={() => setEditing(true)}>
            {t.editGroup}
          </Button>
        )}
        {isMuted ? (
          <Button icon="bell" onClick={() => mute(null)}>
            {t.unmute}
          </Button>
        ) : (
          <>
            <Button icon="bellOff" onClick={() => mute(Date.now() + 8 * HOUR_MS)}>
              {t.muteHours(8)}
            </Button>
            <Button icon="bellOff" onClick={() => mute(FOREVER)}>
              {t.muteForever}
            </Button>
          </>
        )}
        {isMuted && (info.mutedUntil ?? 0) < FOREVER && (
          <p class="soft small">{t.mutedUntil(format.dateTime(info.mutedUntil ?? 0))}</p>
        )}
        {isDirect && peer !== undefined && <BlockButton userId={peer} name={info.title} />}
        {!isDirect && (
          <Button kind="danger" icon="leave" onClick={() => setLeaving(true)}>
            {t.leave}
          </Button>
        )}
      </div>
      {isLeaving && (
        <ConfirmDialog
          title={t.leaveTitle(info.title)}
          label={t.leave}
          onConfirm={() => {
            handle.leave().then(() => navigation.go({ groupId: null }), fail)
          }}
          onClose={() => setLeaving(false)}
        >
          <p>{t.leaveText}</p>
        </ConfirmDialog>
      )}
    </section>
  )
}

function BlockButton({ userId, name }: { readonly userId: string; readonly name: string }) {
  const { store, texts, fail, toast } = useShell()
  const [isBlocked, setBlocked] = useState(false)
  const t = texts.conversation
  useEffect(() => {
    const show = (users: readonly User[]) => setBlocked(users.some((user) => user.userId === userId))
    store.blocked().then(show, () => {})
  }, [store, userId])
  if (isBlocked)
    return (
      <Button icon="block" onClick={() => store.unblock(userId).then(() => setBlocked(false), fail)}>
        {texts.shell.unblock}
      </Button>
    )
  const block = async () => {
    await store.block(userId)
    setBlocked(true)
    toast(t.wasBlocked(name))
  }
  return (
    <Button kind="danger" icon="block" onClick={() => void block().catch(fail)}>
      {t.block}
    </Button>
  )
}

function EditForm({ handle, info, onDone }: GroupDetailsProps & { readonly onDone: () => void }) {
  const { texts, fail } = useShell()
  const t = texts.conversation
  const [name, setName] = useState(info.title)
  const [topic, setTopic] = useState(info.topic ?? '')
  const [isOpen, setOpen] = useState(info.visibility === 'open')
  const save = (event: Event) => {
    event.preventDefault()
    const visibility = isOpen ? 'open' : 'private'
    const fields = {
      ...(name.trim() !== info.title && { name: name.trim() }),
      ...(topic.trim() !== (info.topic ?? '') && { topic: topic.trim() }),
      ...(visibility !== info.visibility && ({ visibility } as const)),
    }
    if (Object.keys(fields).length > 0) handle.update(fields).then(onDone, fail)
    else onDone()
  }
  return (
    <form class="stack" onSubmit={save}>
      <GroupNameField value={name} onChange={setName} />
      <label class="label">
        {t.topic}
        <textarea
          class="field"
          rows={2}
          value={topic}
          onInput={(event) => setTopic(event.currentTarget.value)}
        />
      </label>
      <label class="check">
        <input type="checkbox" checked={isOpen} onChange={(event) => setOpen(event.currentTarget.checked)} />
        {texts.shell.groupOpen}
      </label>
      <div class="row row-end">
        <Button onClick={onDone}>{texts.shell.cancel}</Button>
        <Button type="submit" kind="primary">
          {t.save}
        </Button>
      </div>
    </form>
  )
}
