/**
 * Group name field: what a new group is to be called, or an existing one from now on.
 */
import { useShell } from '../shell.ts'

interface GroupNameFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

export function GroupNameField({ value, onChange }: GroupNameFieldProps) {
  const { texts } = useShell()
  return (
    <label class="label">
      {texts.shell.groupName}
      <input
        class="field"
        required
        maxLength={100}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  )
}
