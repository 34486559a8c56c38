/**
 * Log: the last lines of the server's log, the newest first, by level and text.
 */
import { useEffect, useId, useState } from 'preact/hooks'
import { useAdmin } from './admin-context.ts'

interface LogLine {
  readonly number: number
  readonly level: number
  readonly atMs: number
  readonly message: string
  /** The other fields, as `name=value`. */
  readonly fields: string
}

const MAX_LINES = 200
const levels = [30, 40, 50] as const

/** `next` is the number of the server's next line; null if its lines cannot be read. */
export function Log({ next }: { readonly next: number | null }) {
  const { texts } = useAdmin()
  const lines = useLines(next)
  const [least, setLeast] = useState(30)
  const [search, setSearch] = useState('')
  const title = useId()
  const wanted = search.trim().toLowerCase()
  const shown = lines.filter(
    ({ level, message, fields }) =>
      level >= least && (wanted === '' || `${message} ${fields}`.toLowerCase().includes(wanted)),
  )
  const names = { 30: texts.fromInfo, 40: texts.fromWarn, 50: texts.fromError }
  return (
    <section class="card" aria-labelledby={title}>
      <div class="card-head">
        <h2 id={title}>{texts.log}</h2>
        <div class="row">
          <select
            class="field log-level"
            aria-label={texts.level}
            value={String(least)}
            onChange={(event) => setLeast(Number(event.currentTarget.value))}
          >
            {levels.map((level) => (
              <option key={level} value={String(level)}>
                {names[level]}
              </option>
            ))}
          </select>
          <input
            class="field log-search"
            type="search"
            aria-label={texts.search}
            placeholder={texts.search}
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </div>
      </div>
      <p class="soft small">{next === null ? texts.foreignLog : texts.logNote}</p>
      {next !== null && shown.length === 0 && <p class="soft">{texts.noLog}</p>}
      {shown.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard.
        <section class="scroll log" aria-label={texts.logNote} tabIndex={0}>
          <ol reversed>
            {shown.map((line) => (
              <LogItem key={line.number} {...line} />
            ))}
          </ol>
        </section>
      )}
    </section>
  )
}

function LogItem({ level, atMs, message, fields }: LogLine) {
  const { texts, format } = useAdmin()
  const date = new Date(atMs)
  return (
    <li class={level >= 50 ? 'log-error' : level >= 40 ? 'log-warn' : undefined}>
      <time dateTime={date.toISOString()} title={format.dateTime(atMs)}>
        {date.toLocaleTimeString(format.locale)}
      </time>{' '}
      <span class="tag">{texts.levels[level] ?? level}</span> <strong>{message}</strong>{' '}
      <code class="soft">{fields}</code>
    </li>
  )
}

/** The lines, the newest first; requested when the server has more. */
function useLines(next: number | null): readonly LogLine[] {
  const { api } = useAdmin()
  const [lines, setLines] = useState<readonly LogLine[]>([])
  const known = (lines[0]?.number ?? -1) + 1
  useEffect(() => {
    if (next === null || next === known) return
    let isWanted = true
    // After a restart the numbers begin again.
    const from = next < known ? 0 : known
    api
      .log(from)
      .then((more) => {
        if (!isWanted) return
        const first = more.next - more.lines.length
        const read = more.lines.map((line, at) => parseLine(line, first + at)).reverse()
        setLines((shown) => [...read, ...(from === 0 ? [] : shown)].slice(0, MAX_LINES))
      })
      // The next poll requests them again.
      .catch(() => undefined)
    return () => {
      isWanted = false
    }
  }, [api, next, known])
  return lines
}

function parseLine(line: string, number: number): LogLine {
  try {
    const { level, time, msg, ...rest } = JSON.parse(line) as {
      level: number
      time: number
      msg?: string
    }
    const fields = Object.entries(rest).map(([name, value]) => `${name}=${textOf(value)}`)
    return { number, level, atMs: time, message: msg ?? '', fields: fields.join(' ') }
  } catch {
    // A long line was cut.
    const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 30)
    const atMs = Number(/"time":(\d+)/.exec(line)?.[1] ?? 0)
    return { number, level, atMs, message: '', fields: line }
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
