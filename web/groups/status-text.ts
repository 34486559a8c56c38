/** The text of a presence. */
import type { User } from '../../protocol/records.ts'
import type { Texts } from '../i18n/texts.ts'

export function statusText(status: User['status'], { shell }: Texts): string {
  const all = {
    online: shell.statusOnline,
    away: shell.statusAway,
    busy: shell.statusBusy,
    offline: shell.statusOffline,
  }
  return all[status]
}
