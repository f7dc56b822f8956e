import { saveImages } from '#builder'
import { usageError } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild save` */
export async function runSave(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild save [flags] NAME[:TAG]…'
  const names = expectArguments(args, { least: 1, most: 1000, usage })
  const format = formatOf(args, ['docker', 'oci'])
  const output = args.text('output')
  if (output === undefined && shell.stdout.isTTY === true) {
    throw usageError('cowardly refusing to save to a terminal', 'use the -o flag or redirect')
  }
  const dest = output ?? shell.stdout
  await withProgress(args, shell, (options) => saveImages({ ...options, names, dest, format }))
  return 0
}
