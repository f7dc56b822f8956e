/**
 * `tsbuild parse` as a program of its own: editors start it at every key, and the program for all
 * commands takes a dozen files to find it.
 */

import { parseFlags } from './arguments/flags.ts'
import { PARSE } from './commands/commands-dockerfile.ts'
import { commandHelp } from './commands/help.ts'
import { runParse } from './dockerfile/run-parse.ts'
import { reportError } from './reports/error-report.ts'
import { runProcess } from './terminal/process.ts'
import { print, type Shell } from './terminal/shell.ts'

/** Runs `parse` with the words behind it in `argv`, and exits with its code. */
export async function main([, ...argv]: readonly string[]): Promise<void> {
  await runProcess({ run: async (shell) => await run(argv, shell), report: reportError })
}

async function run(argv: readonly string[], shell: Shell): Promise<number> {
  const args = parseFlags(argv, PARSE.flags)
  if (!args.has('help')) return await runParse(args, shell)
  await print(shell, commandHelp(PARSE))
  return 0
}
