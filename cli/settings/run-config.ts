import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine } from '../terminal/text.ts'
import { settingRows } from './setting-rows.ts'

/** `tsbuild config` */
export async function runConfig(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild config [flags]' })
  const format = formatOf(args, ['table', 'json'])
  const rows = await settingRows(shell.env)
  if (format === 'json') {
    await print(shell, `${JSON.stringify(rows, undefined, 2)}\n`)
    return 0
  }
  const lines = rows.map(({ key, value, from }) => [key, value, from].map(cleanLine))
  await print(shell, alignedTable([['SETTING', 'VALUE', 'FROM'], ...lines]))
  return 0
}
