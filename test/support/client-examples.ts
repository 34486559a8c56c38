/**
 * The examples of docs/CLIENT.md: what each runs in is the comment in its first line.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type ExampleKind = 'node' | 'store' | 'engine' | 'browser' | 'react'

const path = fileURLToPath(new URL('../../docs/CLIENT.md', import.meta.url))

/** The examples of a kind, with the heading above each, in their order. */
export function clientExamples(kind: ExampleKind): readonly (readonly [heading: string, code: string])[] {
  return readFileSync(path, 'utf8')
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const heading = section.slice(0, section.indexOf('\n'))
      const blocks = [...section.matchAll(/^```js\n\/\/ (\w+)\n(.*?)^```/gms)]
      return blocks.filter(([, found]) => found === kind).map(([, , code = '']) => [heading, code] as const)
    })
}

/** The only example of a kind below a heading. */
export function clientExample(kind: ExampleKind, heading: string): string {
  const found = clientExamples(kind).filter(([under]) => under === heading)
  if (found.length !== 1)
    throw new Error(`docs/CLIENT.md has ${found.length} examples (${kind}) below ${heading}`)
  return found[0]?.[1] as string
}

/** Runs an example in this process: `names` are its variables, `modules` what it imports. */
export async function runExample(
  code: string,
  names: Readonly<Record<string, unknown>>,
  modules: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const withoutImports = code.replace(
    /^import \{(.*?)\} from '(.*?)'$/gm,
    (_, imported: string, from: string) =>
      `const {${imported.replaceAll(' as ', ': ')}} = modules['${from}'] ?? missing('${from}')`,
  )
  const missing = (from: string) => {
    throw new Error(`the test has no module ${from}`)
  }
  const AsyncFunction = runExample.constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>
  const all = { ...names, modules, missing }
  await new AsyncFunction(...Object.keys(all), withoutImports)(...Object.values(all))
}
