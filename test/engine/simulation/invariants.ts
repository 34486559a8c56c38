/**
 * Invariants: what holds whenever nothing is in progress.
 */
import type { Device } from './device.ts'
import type { Oracle } from './oracle.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** @throws Violation */
export async function atRest(world: World, oracle: Oracle, devices: readonly Device[]): Promise<void> {
  for (const device of devices) {
    device.complete()
    device.upToDate()
  }
  for (const [index, shard] of world.shards.entries()) {
    const { held, mail, continuing, appended, committed } = shard.stats()
    if (held !== 0 || mail !== 0 || continuing !== 0 || appended !== committed) {
      throw new Violation(
        `shard ${index} is at rest with ${JSON.stringify({ held, mail, continuing, appended, committed })}`,
      )
    }
  }
  for (const device of devices) {
    if (device.typing.size > 0) throw new Violation(`${device} sees ${[...device.typing]} typing forever`)
  }
  for (const groupId of oracle.groupIds) {
    const roles = [...(oracle.group(groupId)?.members.values() ?? [])].map(({ role }) => role)
    if (roles.length > 0 && !roles.includes('admin')) throw new Violation(`${groupId} has no admin`)
  }
}
