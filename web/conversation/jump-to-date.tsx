/**
 * Jump to date: a dialog with a day.
 */
import { useState } from 'preact/hooks'
import type { GroupHandle } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

interface JumpToDateProps {
  readonly handle: GroupHandle
  readonly onClose: () => void
}

export function JumpToDate({ handle, onClose }: JumpToDateProps) {
  const { texts, fail } = useShell()
  const [day, setDay] = useState(today)
  const t = texts.conversation
  const jump = (event: Event) => {
    event.preventDefault()
    // Without a zone, the start of the day is that of the reader.
    const time = new Date(`${day}T00:00`).getTime()
    if (Number.isNaN(time)) return
    onClose()
    handle.jumpTo({ time }).catch(fail)
  }
  return (
    <Dialog title={t.jumpToDate} onClose={onClose}>
      <form class="stack" onSubmit={jump}>
        <label class="label">
          {t.day}
          <input
            class="field"
            type="date"
            required
            value={day}
            max={today()}
            onInput={(event) => setDay(event.currentTarget.value)}
          />
        </label>
        <div class="row row-end">
          <Button type="submit" kind="primary">
            {t.jump}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function today(): string {
  const now = new Date()
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
}
