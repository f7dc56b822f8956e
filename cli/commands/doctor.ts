import { HELP, ROOT_FLAG, TABLE_FORMAT } from '../arguments/common-flags.ts'
import type { Command } from './command.ts'

/** `tsbuild doctor` */
export const DOCTOR: Command = {
  name: 'doctor',
  summary: 'Say what this machine allows, and what to do about what it does not',
  usage: 'tsbuild doctor [flags]',
  flags: [TABLE_FORMAT, ROOT_FLAG, HELP],
  examples: [['tsbuild doctor --format json', 'one JSON document, for programs']],
  notes: ['The exit code is 1 when steps cannot run at all.'],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runDoctor } = await import('../settings/run-doctor.ts')
    return await runDoctor(args, shell)
  },
}
