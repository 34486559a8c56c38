import { existsSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder } from '../../../engine/base/create-folder.ts'
import { temporaryFolder } from '../../support/engines.ts'

describe('createFolder', () => {
  it('creates a folder with those above it, by a relative path too, and accepts one that exists', () => {
    const folder = join(temporaryFolder(), 'a', 'b')
    createFolder(relative(process.cwd(), folder))
    createFolder(folder)
    expect(existsSync(folder)).toBe(true)
  })

  it('fails below a file', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    expect(() => createFolder(join(file, 'a', 'b'))).toThrow(/ENOTDIR|ENOENT/)
  })

  it.runIf(existsSync('/proc/self'))('fails where the system creates nothing, and does not retry', () => {
    expect(() => createFolder('/proc/tertulia/a/b')).toThrow(/ENOENT|EACCES|EPERM/)
  })
})
