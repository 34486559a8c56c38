/**
 * Create folder: a folder and the missing ones above it.
 *
 * Node's own `recursive` calls the system in an endless loop where a folder exists and the system still
 * answers ENOENT for what is created in it, as below `/proc`. Here each folder is requested once.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** @throws the error of the file system. Another process may create the folder at the same time. */
export function createFolder(path: string): void {
  const folder = resolve(path)
  if (existsSync(folder)) return
  const parent = dirname(folder)
  // The root of a drive that does not exist has no other folder above it.
  if (parent !== folder) createFolder(parent)
  try {
    mkdirSync(folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}
