/**
 * Copy files: the contents of all uploaded files, into a folder beside a backup.
 *
 * A content is there whole or not at all and never changes, so that a hard link is as good as a
 * copy where both are on one disk, and costs nothing. What is removed meanwhile (a file that was
 * recalled) is left out; what is still being uploaded is no file yet.
 */
import { constants, copyFileSync, linkSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FileFolder } from './file-folder.ts'

/** What was copied. */
export interface CopiedFiles {
  readonly files: number
  readonly bytes: number
}

const PREFIX = /^[0-9a-f]{2}$/
const CONTENT = /^[0-9a-f]{64}$/

/** Copies the contents of a data directory to `target`, laid out as there; `target` is made where there are any. */
export function copyFiles(
  dataDir: string,
  target: string,
  onProgress: (copied: CopiedFiles) => void,
): CopiedFiles {
  const { path } = new FileFolder(dataDir)
  let copied: CopiedFiles = { files: 0, bytes: 0 }
  for (const prefix of namesIn(path).filter((name) => PREFIX.test(name))) {
    for (const name of namesIn(join(path, prefix)).filter((found) => CONTENT.test(found))) {
      mkdirSync(join(target, prefix), { recursive: true })
      const bytes = copyOne(join(path, prefix, name), join(target, prefix, name))
      if (bytes === null) continue
      copied = { files: copied.files + 1, bytes: copied.bytes + bytes }
      onProgress(copied)
    }
  }
  return copied
}

/** Its size, or null where it has gone. */
function copyOne(from: string, to: string): number | null {
  try {
    try {
      linkSync(from, to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      // Another disk, or one without links.
      copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    }
    return statSync(to).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
