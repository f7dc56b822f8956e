import { HELP } from '../arguments/common-flags.ts'
import type { Arguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import type { Command } from './command.ts'

/** `tsbuild version` */
export const VERSION: Command = {
  name: 'version',
  summary: 'Show the version',
  usage: 'tsbuild version',
  flags: [HELP],
  examples: [],
  run: runVersion,
}

async function runVersion(_args: Arguments, shell: Shell): Promise<number> {
  const { packageVersion } = await import('../reports/package-version.ts')
  const { version, platform, arch } = process
  await print(shell, `tsbuild ${packageVersion()} (node ${version}, ${platform}/${arch})\n`)
  return 0
}
