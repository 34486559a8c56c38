/**
 * The part of vitest that the contract of a cache uses, to run it inside a page.
 */
interface PageTest {
  readonly name: string
  readonly run: () => Promise<void>
}

const tests: PageTest[] = []
let names: string[] = []
let before: (() => unknown)[] = []

export function describe(name: string, define: () => void): void {
  const outer = { names, before }
  names = [...names, name]
  before = [...before]
  define()
  names = outer.names
  before = outer.before
}

export function beforeEach(prepare: () => unknown): void {
  before.push(prepare)
}

export function it(name: string, test: () => unknown): void {
  const prepare = before
  const run = async () => {
    for (const step of prepare) await step()
    await test()
  }
  tests.push({ name: [...names, name].join(': '), run })
}

/** Runs all tests, one after the other; returns the number of tests, and the failures. */
export async function runTests(): Promise<{ readonly count: number; readonly failures: readonly string[] }> {
  const failures: string[] = []
  for (const { name, run } of tests) {
    await run().catch((error: Error) => failures.push(`${name}: ${error.message}`))
  }
  return { count: tests.length, failures }
}

export function expect(actual: unknown) {
  const check = (isGood: boolean, expected: unknown) => {
    if (!isGood) throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
  }
  return {
    toBe: (expected: unknown) => check(Object.is(actual, expected), expected),
    toBeNull: () => check(actual === null, null),
    toHaveLength: (length: number) => check((actual as unknown[]).length === length, length),
    toEqual: (expected: unknown) => check(contains(actual, expected) && contains(expected, actual), expected),
    toMatchObject: (expected: unknown) => check(contains(actual, expected), expected),
  }
}

function contains(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected)
  if (typeof actual !== 'object' || actual === null) return false
  if (Array.isArray(expected) && expected.length !== (actual as unknown[]).length) return false
  return Object.entries(expected).every(([key, value]) =>
    contains((actual as Readonly<Record<string, unknown>>)[key], value),
  )
}
