/**
 * Dialogs of the frame, by their name. They are loaded when the first of them is opened.
 */
import { Jump } from './groups/jump.tsx'
import { NewDirect, NewGroup } from './groups/new-chat.tsx'
import { Blocked, Requests } from './groups/requests.tsx'
import { KeyList } from './keys.tsx'
import { Settings } from './settings/settings.tsx'
import type { DialogName } from './shell.ts'

interface DialogsProps {
  readonly name: DialogName
  readonly onClose: () => void
  readonly onSignOut: () => void
}

export function Dialogs({ name, onClose, onSignOut }: DialogsProps) {
  switch (name) {
    case 'jump':
      return <Jump onClose={onClose} />
    case 'keys':
      return <KeyList onClose={onClose} />
    case 'settings':
      return <Settings onClose={onClose} onSignOut={onSignOut} />
    case 'new-direct':
      return <NewDirect onClose={onClose} />
    case 'new-group':
      return <NewGroup onClose={onClose} />
    case 'requests':
      return <Requests onClose={onClose} />
    case 'blocked':
      return <Blocked onClose={onClose} />
  }
}
