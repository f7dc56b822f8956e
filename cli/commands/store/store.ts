import { HELP, ROOT_FLAG, TEXT_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild store` */
export const STORE: Command = {
  name: 'store',
  summary: 'Verify and repair the local store',
  usage: 'tsbuild store verify [flags]',
  flags: [
    {
      name: 'repair',
      help: 'Set aside what is damaged, and make it of another form where there is one',
      group: 'Verify',
    },
    TEXT_FORMAT,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild store verify', 'read everything, and say what is not as it was made'],
    ['tsbuild store verify --repair', 'repair it as well: images that cannot be are named'],
  ],
  notes: [
    'Builds may run at the same time. The exit code is 1 when damage is left; leftovers of killed processes are none.',
  ],
  // Files of other owners can be read only there.
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runStore } = await import('../../store/run-store.ts')
    return await runStore(args, shell)
  },
}
