import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { inspectObject, type ObjectKind, showDocuments } from './show.ts'

/** `tsbuild KIND inspect` */
export function inspectCommand(kind: ObjectKind): EngineCommand {
  const usage = `tsbuild ${kind} inspect [flags] NAME…`
  return {
    name: 'inspect',
    summary: `Show everything about ${kind}s, as JSON`,
    usage,
    flags: [
      ...flagsOf('Screen', {
        'f, format FORMAT': 'The form: json, or a template such as {{.Name}}',
        ...(kind === 'container' ? { 's, size': 'What it has written, too' } : {}),
      }),
      ...ENGINE_FLAGS,
    ],
    examples: [],
    run: async (args, shell) => {
      const names = expectArguments(args, { least: 1, most: 10_000, usage })
      return await withEngine(args, shell, async ({ client }) => {
        const size = args.has('size')
        const get = (name: string) => inspectObject(client, kind, { name, size })
        return await showDocuments(names, get, { args, shell })
      })
    },
  }
}
