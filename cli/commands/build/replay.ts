import { HELP, PROGRESS, TIMING } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild replay` */
export const REPLAY: Command = {
  name: 'replay',
  summary: 'Show the progress of a build that was recorded with --progress rawjson',
  usage: 'tsbuild replay [flags] FILE',
  flags: [PROGRESS, TIMING, HELP],
  examples: [
    ['tsbuild --progress rawjson . 2> build.jsonl', 'record a build'],
    ['tsbuild replay --progress plain build.jsonl', 'show it as it was shown then'],
    ['tsbuild replay --progress quiet --timing build.jsonl', 'say where its time went'],
  ],
  notes: [
    'FILE has the lines that tsbuild, docker buildx or buildctl print as rawjson; - is standard input. What is not a JSON object is passed over.',
  ],
  run: async (args, shell) => {
    const { runReplay } = await import('../../build/run-replay.ts')
    return await runReplay(args, shell)
  },
}
