/** Writes the documents that are made from code; run from the folder of package.json. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { documents } from './docs/documents.ts'

const root = process.cwd()

for (const [path, text] of documents(root)) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(path)
}
