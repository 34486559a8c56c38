/**
 * Wire examples: one message in bytes, part by part, and in JSON. The bytes are the codec's own.
 */
import { packFrame } from '../../protocol/codec.ts'
import { type FieldMap, toPositional } from '../../protocol/schema.ts'

interface Example {
  readonly name: string
  readonly row: { readonly code: number; readonly fields: FieldMap }
  readonly ref: number
  readonly fields: Readonly<Record<string, unknown>>
}

/** The example as Markdown: its bytes with what each of them is, and the same as a JSON frame. */
export function wireExample({ name, row, ref, fields }: Example): string {
  const wire = toPositional(row.fields, fields, [row.code, ref])
  const labels = ['code', 'ref', ...Object.keys(row.fields)]
  const lines = [`${hex(packFrame(wire).subarray(0, 1))}  an array of ${wire.length}`]
  for (const [at, value] of wire.entries()) {
    const shown =
      value === null
        ? 'nil, absent'
        : JSON.stringify(value, (_, of) => (typeof of === 'bigint' ? Number(of) : of))
    const [first = '', ...more] = rowsOf(packFrame([value]).subarray(1))
    lines.push(`${first}  ${labels[at]}: ${shown}`, ...more)
  }
  const json = JSON.stringify({ event: name, ref, data: fields })
  return `\`${name}\`, ${packFrame(wire).length} bytes:\n\n\`\`\`text\n${aligned(lines)}\n\`\`\`\n\n\`\`\`json\n${json}\n\`\`\``
}

/** The bytes in rows of 16. */
function rowsOf(bytes: Uint8Array): string[] {
  const rows: string[] = []
  for (let at = 0; at < bytes.length; at += 16) rows.push(hex(bytes.subarray(at, at + 16)))
  return rows
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/** Sets the second column of all lines below each other. */
function aligned(lines: readonly string[]): string {
  const parts = lines.map((line) => line.split(/ {2}(.*)/s))
  const width = Math.max(...parts.map(([bytes = '']) => bytes.length))
  return parts.map(([bytes = '', what = '']) => `${bytes.padEnd(width)}  ${what}`.trimEnd()).join('\n')
}
