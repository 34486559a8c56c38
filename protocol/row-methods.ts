/**
 * Row methods: one method per request, made from rows of the table. The server has the table itself, the SDK a
 * compact form of it.
 */

/** What a method needs of a row. */
export interface MethodRow {
  readonly answer: string
  /** The field of the answer that the method returns instead of the whole answer. */
  readonly returns?: string | undefined
}

/** The methods of these requests on top of `send`: `send_message` is `sendMessage(fields)`. */
export function rowMethods(
  rows: Iterable<readonly [name: string, row: MethodRow]>,
  send: (name: never, fields: never) => Promise<unknown>,
): Record<string, (fields: never) => Promise<unknown>> {
  const methods: Record<string, (fields: never) => Promise<unknown>> = {}
  for (const [name, { answer, returns }] of rows) {
    methods[toCamel(name)] = async (fields) => {
      const answered = (await send(name as never, fields)) as Record<string, unknown>
      if (returns) return answered[returns]
      return answer === 'ok' ? undefined : answered
    }
  }
  return methods
}

function toCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
