import { describe, expect, it } from 'vitest'
import { checkDriver } from '../../../engine/storage/sqlite/driver.ts'

describe('the version of better-sqlite3', () => {
  it.each([
    ['12.11.1', '20.20.2'],
    ['12.11.1', '22.23.3'],
    ['13.2.0', '22.23.3'],
    ['13.2.0', '24.21.0'],
    ['13.2.0', '26.10.0'],
    ['14.0.0', '28.0.0'],
  ])('%s runs on Node %s', (driver, node) => {
    expect(() => checkDriver(driver, node)).not.toThrow()
  })

  it.each([
    ['13.2.0', '20.20.2', 'better-sqlite3@12'],
    ['12.11.1', '24.21.0', 'better-sqlite3@13'],
    ['12.11.1', '26.10.0', 'better-sqlite3@13'],
  ])('%s is refused on Node %s, which it would crash', (driver, node, advice) => {
    expect(() => checkDriver(driver, node)).toThrow(
      `better-sqlite3 ${driver} does not run on Node ${node}: install the dependencies again with this Node, or ${advice}`,
    )
  })
})
