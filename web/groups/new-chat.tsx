/**
 * New chat: the dialogs that open a direct chat and create a group.
 */
import { useState } from 'preact/hooks'
import type { User } from '../../protocol/records.ts'
import { useShell, useView } from '../shell.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { GroupNameField } from './group-name-field.tsx'
import { PeoplePicker } from './people-picker.tsx'

interface DialogProps {
  readonly onClose: () => void
}

export function NewDirect({ onClose }: DialogProps) {
  const { store, texts, navigation, fail } = useShell()
  const { userId: me } = useView(store.me)
  const open = (groupId: string) => {
    onClose()
    navigation.go({ groupId })
  }
  return (
    <Dialog title={texts.shell.newDirect} onClose={onClose}>
      <PeoplePicker except={[me]} onPick={({ userId }) => store.direct(userId).then(open, fail)} />
    </Dialog>
  )
}

export function NewGroup({ onClose }: DialogProps) {
  const { store, texts, navigation, fail } = useShell()
  const { shell } = texts
  const { userId: me } = useView(store.me)
  const [name, setName] = useState('')
  const [isOpen, setOpen] = useState(false)
  const [members, setMembers] = useState<readonly User[]>([])
  const [isBusy, setBusy] = useState(false)
  const userIds = members.map(({ userId }) => userId)
  const create = async () => {
    setBusy(true)
    try {
      const visibility = isOpen ? 'open' : 'private'
      const groupId = await store.createGroup({ name: name.trim(), members: userIds, visibility })
      onClose()
      navigation.go({ groupId })
    } catch (error) {
      setBusy(false)
      fail(error)
    }
  }
  return (
    <Dialog title={shell.newGroup} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <GroupNameField value={name} onChange={setName} />
        <label class="check">
          <input
            type="checkbox"
            checked={isOpen}
            onChange={(event) => setOpen(event.currentTarget.checked)}
          />
          {shell.groupOpen}
        </label>
        <h3>{shell.groupMembers}</h3>
        {members.length > 0 && (
          <ul class="chips">
            {members.map((user) => (
              <li key={user.userId} class="chip">
                {user.name}
                <IconButton
                  icon="close"
                  label={shell.remove(user.name)}
                  onClick={() => setMembers(members.filter((one) => one !== user))}
                />
              </li>
            ))}
          </ul>
        )}
        <PeoplePicker except={[me, ...userIds]} onPick={(user) => setMembers([...members, user])} />
        <div class="row row-end">
          <Button onClick={onClose}>{shell.cancel}</Button>
          <Button kind="primary" type="submit" disabled={isBusy || name.trim() === ''}>
            {shell.create}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
