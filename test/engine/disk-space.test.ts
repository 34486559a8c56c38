import { describe, expect, it } from 'vitest'
import { DiskSpace } from '../../engine/disk-space.ts'
import { ManualClock } from '../../testing/manual-clock.ts'

const GIB = 1024 ** 3

/** A disk of 100 GiB (or another size), of which a test sets the free space. */
async function aDisk(totalBytes = 100 * GIB) {
  const clock = new ManualClock()
  const logged: string[] = []
  const log = (_: object, message: string) => void logged.push(message)
  const disk = { freeBytes: totalBytes, fails: false }
  const space = new DiskSpace(
    '/data',
    { info: log, warn: log, error: log },
    {
      look: async () => {
        if (disk.fails) throw new Error('no such call')
        return { totalBytes, freeBytes: disk.freeBytes }
      },
      after: (delayMs, then) => clock.after(delayMs, then),
    },
  )
  const look = async () => {
    clock.advance(5_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await look()
  return { clock, disk, space, logged, look }
}

describe('disk space', () => {
  it('is reported once in the log from 90 % on', async () => {
    const { disk, space, logged, look } = await aDisk()
    expect([space.warning, logged]).toEqual([null, []])
    disk.freeBytes = 9.9 * GIB
    await look()
    await look()
    expect([space.warning, space.full]).toEqual(['the disk is 90 % full', false])
    expect(logged).toEqual(['the disk is 90 % full'])
    disk.freeBytes = 50 * GIB
    await look()
    expect([space.warning, logged.at(-1)]).toEqual([null, 'the disk has room again'])
  })

  it.each([
    ['a large disk with gigabytes left', 1_000 * GIB, 5 * GIB, false],
    ['a small disk of which a third is free', 24 * 1024 ** 2, 8 * 1024 ** 2, false],
    ['a small disk of which almost nothing is', 24 * 1024 ** 2, 100_000, true],
    ['a large disk of which almost nothing is', 1_000 * GIB, 50 * 1024 ** 2, true],
  ])('is full or not: %s', async (_, totalBytes, freeBytes, full) => {
    const { disk, space, look } = await aDisk(totalBytes)
    disk.freeBytes = freeBytes
    await look()
    expect(space.full).toBe(full)
  })

  it('causes no warning if the system does not report it, and is checked again', async () => {
    const { disk, space, look } = await aDisk()
    disk.fails = true
    await look()
    expect([space.figures, space.warning, space.full]).toEqual([null, null, false])
    disk.fails = false
    disk.freeBytes = 0
    await look()
    expect(space.full).toBe(true)
  })

  it('is not checked after the end', async () => {
    const { clock, space } = await aDisk()
    space.close()
    expect(clock.dueInMs).toEqual([])
  })
})
