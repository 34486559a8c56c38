/**
 * Copy files: copies the contents of all uploaded files into a folder beside a backup.
 *
 * A content file is complete or absent, and never changes. On the same disk a hard link is
 * therefore sufficient. Files that are removed during the copy (recalled, for example) are skipped;
 * uploads that are not complete are not copied.
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

/** Copies the contents of a data directory to `target`, with the same layout; `target` is created if there is at least one. */
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

/** Returns the size, or null if the file was deleted. */
function copyOne(from: string, to: string): number | null {
  try {
    try {
      linkSync(from, to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      // Another disk, or a file system without hard links.
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
