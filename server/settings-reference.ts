/**
 * Settings reference: the tables of settings in words, for the docs, `--help` and the errors of the command
 * line.
 */
import { settings } from './config.ts'
import { processSettings } from './process-settings.ts'
import type { SettingSpec } from './setting-table.ts'

const ofServer: readonly [string, SettingSpec][] = Object.entries(settings)
const ofProcesses: readonly [string, SettingSpec][] = Object.entries(processSettings)
const all = [...ofServer, ...ofProcesses]

/** The table of a server's settings in Markdown, one row per setting. */
export function configurationTable(): string {
  const lines = [
    '| variable | `createServer` | default | allowed values | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...ofServer.map(([name, row]) => `| \`${row.env}\` | \`${name}\` | ${cellsOf(row)} |`),
  ]
  return `${lines.join('\n')}\n`
}

/** The table of the settings that only `tertulia serve` has. */
export function processTable(): string {
  const lines = [
    '| variable | default | allowed values | meaning |',
    '| --- | --- | --- | --- |',
    ...ofProcesses.map(([, row]) => `| \`${row.env}\` | ${cellsOf(row)} |`),
  ]
  return `${lines.join('\n')}\n`
}

/** The settings for `--help`: the variable, its default, and what it means. */
export function settingsHelp(): string {
  return all
    .map(
      ([, row]) =>
        `  ${row.env} (${defaultInWords(row).replaceAll('`', '')})\n${wrap(row.doc.replaceAll('`', ''))}`,
    )
    .join('\n')
}

/** The setting that an option such as `--port` or `--data-dir` stands for. */
export function settingOfOption(option: string): SettingSpec | undefined {
  const asked = option.replaceAll('-', '_').toUpperCase()
  return all.find(([, { env }]) => env === asked)?.[1]
}

function cellsOf(row: SettingSpec): string {
  const unit = row.unit ? `, ${row.unit}` : ''
  return `${defaultInWords(row)} | ${row.kind.rule}${unit} | ${row.doc}`
}

function wrap(text: string): string {
  return text.replaceAll(/(.{1,90})(?: |$)/g, '      $1\n').trimEnd()
}

function defaultInWords(row: SettingSpec): string {
  if (row.defaultText) return row.defaultText
  return row.default === undefined ? 'none' : `\`${String(row.default)}\``
}
