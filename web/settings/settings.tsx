/**
 * Settings: the user's status, and how the page looks and behaves on this device.
 */
import type { ComponentChildren } from 'preact'
import type { User } from '../../protocol/records.ts'
import { type SkinTone, skinTones, withSkinTone } from '../emoji/skin-tone.ts'
import { statusText } from '../groups/status-text.ts'
import { languages } from '../i18n/texts.ts'
import { useMe, useShell, useView } from '../shell.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import type { Preferences } from './preferences.ts'

const statuses: readonly User['status'][] = ['online', 'away', 'busy', 'offline']

const hands = Object.fromEntries(
  Object.keys(skinTones).map((tone) => [tone, withSkinTone('👋', tone as SkinTone)]),
)

interface SettingsProps {
  readonly onClose: () => void
  readonly onSignOut: () => void
}

export function Settings({ onClose, onSignOut }: SettingsProps) {
  const { store, texts, preferences, missingParts, setPreferences, openDialog, fail } = useShell()
  const { shell } = texts
  const { name, status } = useMe()
  const { language, theme, contrast, skinTone, sounds, notifications } = useView(preferences)
  const missing = useView(missingParts.reason)
  const themes: Record<Preferences['theme'], string> = {
    auto: shell.themeAuto,
    light: shell.themeLight,
    dark: shell.themeDark,
  }
  return (
    <Dialog title={shell.settings} onClose={onClose}>
      <p>
        <strong>{name}</strong>
      </p>
      <Choice
        label={shell.status}
        value={status}
        options={Object.fromEntries(statuses.map((one) => [one, statusText(one, texts)]))}
        onChange={(value) => store.setStatus(value as User['status']).catch(fail)}
      />
      <Choice
        label={shell.language}
        value={language}
        options={{ auto: shell.languageAuto, ...languages }}
        onChange={(value) => setPreferences({ language: value as Preferences['language'] })}
      />
      {/* The banner that says it is behind the dialog. */}
      {missing && <p class="soft small">{shell.missingPart[missing]}</p>}
      <Choice
        label={shell.theme}
        value={theme}
        options={themes}
        onChange={(value) => setPreferences({ theme: value as Preferences['theme'] })}
      />
      <Choice
        label={shell.skinTone}
        value={skinTone}
        options={hands}
        onChange={(value) => setPreferences({ skinTone: value as SkinTone })}
      />
      <Check checked={contrast} onChange={(value) => setPreferences({ contrast: value })}>
        {shell.contrast}
      </Check>
      <Check checked={sounds} onChange={(value) => setPreferences({ sounds: value })}>
        {shell.sounds}
      </Check>
      <Check
        checked={notifications}
        onChange={(value) => {
          setPreferences({ notifications: value })
          if (value)
            void requestPermission().then(
              (isGranted) => isGranted || setPreferences({ notifications: false }),
            )
        }}
      >
        {shell.notifications}
      </Check>
      {isDenied() && <p class="soft small">{shell.notificationsDenied}</p>}
      <div class="row">
        <Button icon="block" onClick={() => openDialog('blocked')}>
          {shell.blocked}
        </Button>
        <Button icon="info" onClick={() => openDialog('keys')}>
          {shell.keys}
        </Button>
        <Button icon="leave" kind="danger" onClick={onSignOut}>
          {shell.signOut}
        </Button>
      </div>
      <nav class="sign-in-links row soft" aria-label={shell.about}>
        <a href="swagger">{shell.httpApi}</a>
        <a href="asyncapi">{shell.asyncApi}</a>
        <a href="admin">{shell.dashboard}</a>
      </nav>
    </Dialog>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  /** The text of each value. */
  readonly options: Readonly<Record<string, string>>
  readonly onChange: (value: string) => void
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="label">
      {label}
      <select class="field" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {Object.entries(options).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

interface CheckProps {
  readonly checked: boolean
  readonly onChange: (value: boolean) => void
  readonly children: ComponentChildren
}

function Check({ checked, onChange, children }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  )
}

function isDenied(): boolean {
  return 'Notification' in globalThis && Notification.permission === 'denied'
}

async function requestPermission(): Promise<boolean> {
  return 'Notification' in globalThis && (await Notification.requestPermission()) === 'granted'
}
