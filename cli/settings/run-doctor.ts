import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveRoot } from '#builder'
import { checkHost, type HostCheck } from '#host'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine } from '../terminal/text.ts'
import { type SettingRow, settingRows } from './setting-rows.ts'

/** What of the settings decides whether registries are reached, and what it is called here. */
const NETWORK_SETTINGS: ReadonlyMap<string, string> = new Map([
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].map(
    (name) => [name, 'proxies'] as const,
  ),
  ['registry-mirrors', 'mirrors'],
  ['mirrors of the machine', 'mirrors'],
])

/** `tsbuild doctor` */
export async function runDoctor(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild doctor [flags]' })
  const format = formatOf(args, ['table', 'json'])
  const root = args.text('root') ?? resolveRoot(shell.env)
  const temporary = await mkdtemp(join(tmpdir(), 'tsbuild-doctor-'))
  let checks: readonly HostCheck[]
  try {
    checks = [...(await checkHost({ root, temporary })), ...networks(await settingRows(shell.env))]
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  const text = format === 'json' ? `${JSON.stringify(checks, undefined, 2)}\n` : table(checks)
  await print(shell, text)
  return checks.some(({ state }) => state === 'missing') ? 1 : 0
}

function networks(rows: readonly SettingRow[]): readonly HostCheck[] {
  return ['proxies', 'mirrors'].map((subject): HostCheck => {
    const found = rows.filter(({ key }) => NETWORK_SETTINGS.get(key) === subject)
    const said = found.map(({ key, value, from }) => `${key}: ${value} (${from})`)
    return { subject, state: 'ok', detail: said.length === 0 ? 'none are set' : said.join('; ') }
  })
}

function table(checks: readonly HostCheck[]): string {
  const rows = checks.flatMap(({ subject, state, detail, hint }) => {
    const row = [state, subject, detail].map(cleanLine)
    return hint === undefined ? [row] : [row, ['', '', `-> ${cleanLine(hint)}`]]
  })
  return alignedTable([['STATE', 'SUBJECT', 'DETAIL'], ...rows])
}
