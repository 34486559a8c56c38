import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { sourcesOf } from './source-imports.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The planner of SQLite 3.53 reads the value of `LIMIT ?`, and the statement is then prepared again whenever a
 * parameter is bound: 35 µs for a query of 4 µs. It does not read the value of an expression.
 */
it('no statement has a bare parameter as its limit: SQLite would prepare it again each time', () => {
  const wrong = sourcesOf('engine').filter((path) =>
    /LIMIT \?(?! \+ 0)/.test(readFileSync(join(root, path), 'utf8')),
  )
  expect(wrong).toEqual([])
})
