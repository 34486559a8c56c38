/**
 * Units: numbers of the dashboard as texts, by `Intl`. A missing value is a dash.
 */
import type { Format } from '../i18n/format.ts'

type Value = number | null | undefined

export interface Units {
  /** A count or a rate: one decimal below ten. */
  number(value: Value): string
  /** Milliseconds as ms or s. */
  ms(value: Value): string
  percent(value: Value): string
  bytes(value: Value): string
  /** A duration: seconds, minutes, hours or days. */
  duration(ms: number): string
}

type Write = (value: number) => string

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export function createUnits({ locale, bytes }: Format): Units {
  const small = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const large = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const number = (value: number) => (Math.abs(value) < 10 ? small : large).format(value)
  const unit = (name: string, unitDisplay: 'short' | 'narrow', digits: Intl.NumberFormatOptions) => {
    const options = { style: 'unit', unit: name, unitDisplay } as const
    const few = new Intl.NumberFormat(locale, { ...options, ...digits })
    const many = new Intl.NumberFormat(locale, { ...options, maximumFractionDigits: 0 })
    return (value: number) => (Math.abs(value) < 10 ? few : many).format(value)
  }
  const milliseconds = unit('millisecond', 'short', { maximumSignificantDigits: 2 })
  const percent = unit('percent', 'short', { maximumFractionDigits: 1 })
  const [seconds, minutes, hours, days] = (['second', 'minute', 'hour', 'day'] as const).map((name) =>
    unit(name, 'narrow', { maximumFractionDigits: 1 }),
  ) as [Write, Write, Write, Write]
  const or = (text: (value: number) => string) => (value: Value) =>
    value === null || value === undefined ? '–' : text(value)
  return {
    number: or(number),
    ms: or((value) => (value < 1_000 ? milliseconds(value) : seconds(value / 1_000))),
    percent: or(percent),
    bytes: or(bytes),
    duration(ms) {
      if (ms < MINUTE_MS) return seconds(Math.floor(ms / 1_000))
      if (ms < HOUR_MS) return minutes(Math.floor(ms / MINUTE_MS))
      return ms < DAY_MS ? hours(Math.floor(ms / HOUR_MS)) : days(Math.floor(ms / DAY_MS))
    },
  }
}
