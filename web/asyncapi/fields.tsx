/**
 * Fields: the table of the fields of a message or a record.
 */
import type { Format } from '../i18n/format.ts'
import { itemOf, lastPart, placesOf, type Schema } from './document.ts'
import type { AsyncApiTexts } from './i18n/en.ts'

interface FieldsProps {
  readonly schema: Schema
  readonly texts: AsyncApiTexts
  readonly format: Format
}

/** Limits from here on say nothing about the protocol, only about the range of a number. */
const RANGE = 0xffff_ffff

export function Fields({ schema, texts, format }: FieldsProps) {
  const fields = Object.entries(schema.properties ?? {})
  const required = new Set(schema.required)
  if (fields.length === 0) return <p class="soft">{texts.noFields}</p>
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.field}</th>
            <th scope="col">{texts.type}</th>
            <th scope="col">{texts.meaning}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(([name, field]) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>{' '}
                <span class="soft small">{required.has(name) ? texts.required : texts.optional}</span>
              </th>
              <td>
                <FieldType schema={field} texts={texts} />
              </td>
              <td>{ruleOf(field, texts, format)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function FieldType({ schema, texts }: Omit<FieldsProps, 'format'>) {
  if (schema.$ref) {
    const record = lastPart(schema.$ref)
    return <a href={`#record.${record}`}>{record}</a>
  }
  const places = placesOf(schema)
  if (places) return <code>[{places.map(({ type }) => type).join(', ')}]</code>
  const item = itemOf(schema)
  if (item) {
    // The name of a record is a link, which a text cannot contain.
    const [before = '', after = ''] = texts.list('\0').split('\0')
    return (
      <>
        {before}
        <FieldType schema={item} texts={texts} />
        {after}
      </>
    )
  }
  return <code>{schema.type ?? 'any'}</code>
}

function ruleOf(schema: Schema, texts: AsyncApiTexts, format: Format): string {
  const { description, enum: allowed, minimum = 0, maximum, maxItems } = schema
  const rule = itemOf(schema)?.description
  return [
    ...(allowed ? [allowed.join(', ')] : []),
    ...(description ? [description] : []),
    ...(minimum > 0 ? [texts.atLeast(format.number(minimum))] : []),
    ...(maximum !== undefined && maximum < RANGE ? [texts.atMost(format.number(maximum))] : []),
    ...(maxItems === undefined ? [] : [texts.atMost(format.number(maxItems))]),
    ...(rule ? [rule] : []),
  ].join('; ')
}
