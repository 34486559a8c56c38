/**
 * Other users: deletes what stores of the same server have cached for other users of this device.
 *
 * Each user has a database. That of a user whose tab is open stays: the tab holds the lock of the same name.
 */
import { LastChanges } from './last-changes.ts'

/** `prefix` is what the names of all users begin with, `own` the name that stays. */
export async function forgetOthers(prefix: string, own: string): Promise<void> {
  try {
    const [databases, locks] = await Promise.all([indexedDB.databases(), navigator.locks?.query()])
    const open = new Set(locks?.held?.map(({ name }) => name))
    for (const { name = '' } of databases) {
      if (name === own || !name.startsWith(prefix) || open.has(name)) continue
      indexedDB.deleteDatabase(name)
      new LastChanges(name).take()
    }
  } catch {
    // The browser has no databases, or does not list them.
  }
}
