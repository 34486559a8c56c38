/**
 * Format: dates, times, sizes and lists as people of a language write them, by `Intl`.
 */

export interface Format {
  /** The language of `Intl`, such as `pt-BR`. */
  readonly locale: string
  /** 14:05 */
  time(ms: number): string
  /** Today, yesterday, a weekday of the last week, or a date. */
  day(ms: number): string
  /** For lists: the time of today, else the day in short. */
  short(ms: number): string
  /** The full date and time. */
  dateTime(ms: number): string
  /** `5 minutes ago` */
  ago(ms: number): string
  /** A duration in seconds as m:ss. */
  clock(seconds: number): string
  number(value: number): string
  /** `1.5 MB` */
  bytes(value: number): string
  /** `Ana, Rui and Eva` */
  list(names: readonly string[]): string
}

const DAY_MS = 86_400_000
const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']

/** The format of a locale; `now` is the clock of relative texts. */
export function createFormat(locale: string, now: () => number = Date.now): Format {
  const date = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, options)
    return (ms: number) => format.format(ms)
  }
  const time = date({ hour: '2-digit', minute: '2-digit' })
  const weekday = date({ weekday: 'long' })
  const dayOfYear = date({ weekday: 'short', day: 'numeric', month: 'long' })
  const fullDay = date({ day: 'numeric', month: 'long', year: 'numeric' })
  const shortWeekday = date({ weekday: 'short' })
  const shortDay = date({ day: 'numeric', month: 'short' })
  const shortDate = date({ dateStyle: 'short' })
  const dateTime = date({ dateStyle: 'full', timeStyle: 'short' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const list = new Intl.ListFormat(locale, { type: 'conjunction' })
  const number = new Intl.NumberFormat(locale)
  const isThisYear = (ms: number) => new Date(ms).getFullYear() === new Date(now()).getFullYear()
  const daysAgo = (ms: number) => Math.round((midnight(now()) - midnight(ms)) / DAY_MS)
  return {
    locale,
    time,
    dateTime,
    day(ms) {
      const days = daysAgo(ms)
      if (days === 0 || days === 1) return capital(relative.format(-days, 'day'), locale)
      if (days > 1 && days < 7) return capital(weekday(ms), locale)
      return isThisYear(ms) ? dayOfYear(ms) : fullDay(ms)
    },
    short(ms) {
      const days = daysAgo(ms)
      if (days <= 0) return time(ms)
      if (days < 7) return shortWeekday(ms)
      return isThisYear(ms) ? shortDay(ms) : shortDate(ms)
    },
    ago(ms) {
      const seconds = (ms - now()) / 1_000
      for (const [unit, size] of steps) {
        if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit)
      }
      return relative.format(0, 'minute')
    },
    clock: (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`,
    number: (value) => number.format(value),
    bytes(value) {
      const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3))
      const style = {
        style: 'unit',
        unit: units[at] ?? 'byte',
        unitDisplay: at === 0 ? 'long' : 'short',
      } as const
      const digits = { maximumFractionDigits: at > 1 ? 1 : 0 }
      return new Intl.NumberFormat(locale, { ...style, ...digits }).format(value / 1_000 ** at)
    },
    list: (names) => list.format(names),
  }
}

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

function capital(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)
}
