import { HELP } from '../arguments/common-flags.ts'
import type { Command, CommandParts } from './command.ts'

const PARTS: CommandParts = {
  usage: 'tsbuild kaniko [flags]',
  flags: [HELP],
  examples: [
    ['tsbuild kaniko --context dir:///src --destination ghcr.io/me/app:1', 'build and push'],
    ['tsbuild kaniko -c git://github.com/me/app --no-push --tar-path app.tar', 'write an archive'],
  ],
  notes: [
    'In the image tsbuild it is /kaniko/executor, too. Credentials come from /kaniko/.docker/config.json if that is there.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runKaniko } = await import('../kaniko/run-kaniko.ts')
    return await runKaniko(args, shell)
  },
}

/** `tsbuild kaniko` */
export const KANIKO: Command = {
  ...PARTS,
  name: 'kaniko',
  summary: "Build and push as kaniko's executor does, with its flags",
  load: async () => {
    const { KANIKO_FLAGS } = await import('../kaniko/kaniko-flags.ts')
    return { ...PARTS, flags: KANIKO_FLAGS }
  },
}
