/**
 * Declarations: leaves in `dist/` only the types that a user's program can refer to.
 *
 * Begins with the exports of the entry points of package.json, follows each name to its declaration, and
 * removes the declarations and files that nothing refers to. What the compiler writes as
 * `import("./schema.ts").FieldType` becomes a name that is imported once. Indented by tabs. Comments stay in the
 * entry points and the files that they export from; nobody sees those of the others.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const COMMENT = /\/\*\*[\s\S]*?\*\/\s*/g
const INDENT = /^(?: {4})+/gm
/** The comment of a file is not that of its first declaration. */
const HEADER = /^\/\*\*[\s\S]*?\*\/\n(?=import\b|export (?:type )?\{|\/\*\*)/
/** A statement begins in the first column. */
const STATEMENT = /^(?=import\b|export\b|declare\b|type\b|interface\b)/m
const LIST = /^(import|export)\s+(?:type\s+)?\{([^}]*)\}(?:\s*from\s*['"]([^'"]+)['"])?;\s*$/
const STAR = /^export\s+(?:type\s+)?\*\s+from\s*['"]([^'"]+)['"];\s*$/
const NAMESPACE = /^import\s+(?:type\s+)?\*\s+as\s+(\w+)\s+from\s*['"]([^'"]+)['"];\s*$/
const DECLARED =
  /^(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:const|let|function|class|interface|type|namespace)\s+(\w+)/
const INLINE_IMPORT = /\bimport\((['"])(\.[^'"]+)\1\)\.(\w+)/g

/** Rewrites the declarations below `root/dist` that an entry point reaches, and removes the others. */
export function pruneDeclarations(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.values(exports).flatMap(({ types }) => (types ? [join(root, types)] : []))
  const files = new Map()
  const fileOf = (path) => {
    if (!files.has(path)) files.set(path, parse(path))
    return files.get(path)
  }
  for (const entry of entries) {
    const { exported, stars } = fileOf(entry)
    for (const name of exported) reach(fileOf, entry, name)
    for (const star of stars) for (const name of fileOf(star).exported) reach(fileOf, star, name)
  }
  const shown = new Set(entries.flatMap((path) => [path, ...fileOf(path).sources]))
  for (const [path, file] of files) writeFileSync(path, print(file, shown.has(path)))
  for (const name of readdirSync(join(root, 'dist'), { recursive: true })) {
    const path = join(root, 'dist', name)
    if (path.endsWith('.d.ts') && !files.has(path)) rmSync(path)
  }
}

/** The statements of a file, what it declares, imports and exports, and which of it is used. */
function parse(path) {
  const text = readFileSync(path, 'utf8')
  const head = HEADER.exec(text)?.[0] ?? ''
  const file = { path, head, statements: [], declared: new Map(), imported: new Map(), exported: new Set() }
  file.sources = new Set()
  file.stars = []
  const add = (name, source, original, isExport) => {
    const target = source.startsWith('.') ? targetOf(path, source) : source
    const known = file.imported.get(name)
    if (known) known.isLocal ||= !isExport
    else file.imported.set(name, { source, target, original, isLocal: !isExport, used: false })
    if (isExport) file.exported.add(name)
    if (isExport && source.startsWith('.')) file.sources.add(target)
  }
  for (const { comment, code } of statementsOf(text.slice(head.length))) {
    const list = LIST.exec(code)
    const namespace = NAMESPACE.exec(code)
    const star = STAR.exec(code)
    if (list) {
      const [, kind, names, source] = list
      for (const one of names.split(',').flatMap((given) => given.trim() || [])) {
        const [, original, name = original] = /^(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?$/.exec(one)
        if (source) add(name, source, original, kind === 'export')
        else throw new Error(`${path}: a list of exports without its file: ${code}`)
      }
      if (kind === 'export') file.statements.push({ comment, code, used: true })
      continue
    }
    if (star) {
      file.stars.push(targetOf(path, star[1]))
      file.sources.add(targetOf(path, star[1]))
      file.statements.push({ comment, code, used: true })
      continue
    }
    if (namespace) {
      add(namespace[1], namespace[2], '*', false)
      continue
    }
    const name = DECLARED.exec(code)?.[1]
    if (!name) throw new Error(`${path}: not a declaration: ${code}`)
    const statement = { comment, code: withNamedImports(code, text, add), used: false }
    file.statements.push(statement)
    file.declared.set(name, [...(file.declared.get(name) ?? []), statement])
    if (code.startsWith('export')) file.exported.add(name)
  }
  return file
}

/** The declarations of a file that another one imports. */
function targetOf(path, source) {
  return join(path, '..', source).replace(/\.[jt]s$/, '.d.ts')
}

/** Statements with the comment before each. */
function statementsOf(text) {
  const found = []
  let comment = ''
  for (const part of text.split(STATEMENT)) {
    const start = part.search(/\/\*\*(?![\s\S]*\*\/[\s\S]*\S)/)
    const after = start < 0 ? '' : part.slice(start)
    const code = start < 0 ? part : part.slice(0, start)
    if (code.trim() && code.trim() !== 'export {};') found.push({ comment, code })
    comment = after
  }
  return found
}

/** Names what the compiler has imported inside a type, unless the file uses that name for something else. */
function withNamedImports(code, text, add) {
  return code.replace(INLINE_IMPORT, (all, _, source, name) => {
    const others =
      text.replace(INLINE_IMPORT, '').match(new RegExp(`[\\w{, ]*\\b${name}\\b[^;\\n]*`, 'g')) ?? []
    if (others.some((line) => !line.includes(source))) return all
    add(name, source, name, false)
    return name
  })
}

/** Marks a name of a file as used, and what its declaration refers to. */
function reach(fileOf, path, name) {
  const file = fileOf(path)
  const imported = file.imported.get(name)
  if (imported && !imported.used) {
    imported.used = true
    if (imported.source.startsWith('.')) reach(fileOf, imported.target, imported.original)
  }
  for (const statement of file.declared.get(name) ?? []) {
    if (statement.used) continue
    statement.used = true
    for (const [word] of statement.code.replace(COMMENT, '').matchAll(/\b\w+\b/g)) reach(fileOf, path, word)
    for (const [, , source, original] of statement.code.matchAll(INLINE_IMPORT)) {
      reach(fileOf, targetOf(path, source), original)
    }
  }
}

function print({ head, statements, imported }, isShown) {
  const bySource = new Map()
  const lines = []
  for (const [name, { source, original, isLocal, used }] of imported) {
    if (!used || !isLocal) continue
    if (original === '*') lines.push(`import type * as ${name} from '${source}';\n`)
    else {
      const names = bySource.get(source) ?? []
      bySource.set(source, [...names, name === original ? name : `${original} as ${name}`])
    }
  }
  for (const [source, names] of bySource)
    lines.push(`import type { ${names.join(', ')} } from '${source}';\n`)
  const used = statements.flatMap(({ used, comment, code }) => (used ? comment + code : []))
  const text = [head, ...lines, ...used].join('')
  return (isShown ? text : text.replace(COMMENT, '')).replace(INDENT, (spaces) =>
    '\t'.repeat(spaces.length / 4),
  )
}
