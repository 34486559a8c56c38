/**
 * Route table: finds the handler for a method and a path.
 *
 * Parts of a pattern may be `:name`, which matches one part that is not empty. Paths without such parts
 * take precedence.
 */

/** The result of a lookup. */
export interface Match<T> {
  /** The values of the pattern, by method. */
  readonly methods: ReadonlyMap<string, T>
  /** The `:parts`, in their order, decoded. */
  readonly params: readonly string[]
}

interface Entry<T> {
  readonly parts: readonly string[]
  readonly methods: Map<string, T>
}

export class RouteTable<T> {
  readonly #exact = new Map<string, Entry<T>>()
  readonly #patterns: Entry<T>[] = []

  add(method: string, pattern: string, value: T): void {
    const entry = this.#entry(pattern)
    entry.methods.set(method, value)
  }

  find(path: string): Match<T> | null {
    const exact = this.#exact.get(path)
    if (exact) return { methods: exact.methods, params: [] }
    const parts = path.split('/')
    const entry = this.#patterns.find((one) => matches(one.parts, parts))
    if (!entry) return null
    const params = parts.filter((_, i) => entry.parts[i]?.startsWith(':')).map(decodePart)
    return { methods: entry.methods, params }
  }

  #entry(pattern: string): Entry<T> {
    const parts = pattern.split('/')
    const isExact = !parts.some((part) => part.startsWith(':'))
    const known = isExact
      ? this.#exact.get(pattern)
      : this.#patterns.find((one) => one.parts.join('/') === pattern)
    if (known) return known
    const entry: Entry<T> = { parts, methods: new Map() }
    if (isExact) this.#exact.set(pattern, entry)
    else this.#patterns.push(entry)
    return entry
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, i) => (part.startsWith(':') ? parts[i] !== '' : part === parts[i]))
  )
}

/** Decodes a part of the path; an invalid encoding is left for the handler to refuse. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
