/**
 * Alerts: the conditions of docs/alerts.yml that hold. A screen reader reads a new one once.
 */
import { Icon } from '../ui/icon.tsx'
import { useAdmin } from './admin-context.ts'
import type { Alert } from './figures.ts'
import type { Units } from './units.ts'

/** How the value of an alert is written. */
const units: Readonly<Record<string, keyof Omit<Units, 'duration'>>> = {
  TertuliaConnectionsNearLimit: 'percent',
  TertuliaSlowAnswers: 'ms',
  TertuliaErrorRate: 'percent',
  TertuliaMemoryHigh: 'percent',
  TertuliaDiskFilling: 'percent',
  TertuliaEventLoopLate: 'ms',
}
const factors = { percent: 100, ms: 1_000, number: 1, bytes: 1 } as const

export function Alerts({ alerts }: { readonly alerts: readonly Alert[] }) {
  const { texts } = useAdmin()
  return (
    <section class={`card alerts ${alerts.length === 0 ? 'alerts-calm' : ''}`} aria-label={texts.alerts}>
      <h2>{texts.alerts}</h2>
      {alerts.length === 0 && (
        <p class="calm">
          <Icon name="check" size={18} /> {texts.noAlerts}
        </p>
      )}
      <ul aria-live="polite" aria-relevant="additions">
        {alerts.map((alert) => (
          <AlertItem key={alert.name} {...alert} />
        ))}
      </ul>
    </section>
  )
}

function AlertItem({ name, severity, value, threshold, heldMs, forMs }: Alert) {
  const { texts, units: texting } = useAdmin()
  const [title, advice] = texts.alertTexts[name] ?? [name, '']
  const unit = units[name] ?? 'number'
  const write = (one: number) => texting[unit](one * factors[unit])
  const isFiring = heldMs >= forMs
  return (
    <li class={`alert alert-${severity}`}>
      <Icon name={severity === 'info' ? 'info' : 'alert'} />
      <div>
        <p>
          <strong>{title}</strong> <span class="tag">{texts.severity[severity]}</span>{' '}
          <span class="tag">{isFiring ? texts.firing : texts.pending}</span>
        </p>
        <p class="small" aria-live="off">
          <code>{name}</code>: {texts.valueOf(write(value), write(threshold))};{' '}
          {texts.heldFor(texting.duration(heldMs))}
          {!isFiring && `; ${texts.firesAfter(texting.duration(forMs))}`}
        </p>
        <p class="small soft">{advice}</p>
      </div>
    </li>
  )
}
