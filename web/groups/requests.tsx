/**
 * Requests: invitations to groups and direct chats of others that wait for an answer; and the list of
 * blocked people.
 */
import { useEffect, useState } from 'preact/hooks'
import type { Invitation, User } from '../../protocol/records.ts'
import { useShell, useView } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

interface DialogProps {
  readonly onClose: () => void
}

export function Requests({ onClose }: DialogProps) {
  const { store, texts, navigation, fail } = useShell()
  const { shell } = texts
  const { invitations, isLoaded } = useView(store.invitations)
  const accept = async (groupId: string) => {
    await store.join(groupId)
    onClose()
    navigation.go({ groupId })
  }
  return (
    <Dialog title={shell.requests} onClose={onClose}>
      {invitations.length === 0 && <p class="soft">{isLoaded ? shell.noRequests : shell.loading}</p>}
      <ul class="stack">
        {invitations.map((invitation) => {
          const { group, by } = invitation
          const inviter = inviterOf(invitation)
          const isGroup = group.kind === 'group'
          const title = isGroup ? (group.name ?? group.groupId) : inviter
          return (
            <li key={group.groupId} class="row">
              <Avatar id={isGroup ? group.groupId : by} name={title} isGroup={isGroup} />
              <span class="grow">
                {isGroup ? title : shell.wantsToChat(inviter)}
                {isGroup && <span class="soft small"> {shell.invitedBy(inviter)}</span>}
              </span>
              <Button onClick={() => store.decline(group.groupId).catch(fail)}>{shell.decline}</Button>
              <Button kind="primary" onClick={() => accept(group.groupId).catch(fail)}>
                {shell.accept}
              </Button>
            </li>
          )
        })}
      </ul>
    </Dialog>
  )
}

/** The name of who sent it, if the group lists them. */
function inviterOf({ group, by }: Invitation): string {
  return group.members?.find(({ userId }) => userId === by)?.name ?? by
}

export function Blocked({ onClose }: DialogProps) {
  const { store, texts, fail } = useShell()
  const { shell } = texts
  const [users, setUsers] = useState<readonly User[] | null>(null)
  useEffect(() => {
    store.blocked().then(setUsers, fail)
  }, [store, fail])
  const unblock = async (userId: string) => {
    await store.unblock(userId)
    setUsers((shown) => shown?.filter((user) => user.userId !== userId) ?? null)
  }
  return (
    <Dialog title={shell.blocked} onClose={onClose}>
      {(users === null || users.length === 0) && (
        <p class="soft">{users ? shell.noBlocked : shell.loading}</p>
      )}
      <ul class="stack">
        {users?.map(({ userId, name, picture }) => (
          <li key={userId} class="row">
            <Avatar id={userId} name={name} picture={picture} />
            <span class="grow">{name}</span>
            <Button onClick={() => unblock(userId).catch(fail)}>{shell.unblock}</Button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
