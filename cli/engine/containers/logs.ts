import { pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments, type Flag } from '../../arguments/flags.ts'
import type { Shell } from '../../terminal/shell.ts'
import type { Engine } from '../connect/engine.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { timeOf } from '../format/times.ts'
import { inspectContainer } from '../run/status.ts'
import { copyOutput } from '../streams/attach.ts'

/** Flags about the output of a container. */
export const LOG_FLAGS: readonly Flag[] = [
  ...flagsOf('Output of a container', {
    'f, follow': 'Go on with what it prints from now on',
    'since TIME': 'Not before: 42m, or a time such as 2026-01-31T13:00:00Z',
    'until TIME': 'Not after',
    'n, tail N': 'The last so many lines, or all',
    't, timestamps': 'Show when',
    details: "Show what is in the container's variables and labels for it",
  }),
]

/** `tsbuild container logs` */
export const CONTAINER_LOGS: EngineCommand = {
  name: 'logs',
  summary: 'Print what a container has printed',
  usage: 'tsbuild container logs [flags] CONTAINER',
  flags: [...LOG_FLAGS, ...ENGINE_FLAGS],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild container logs [flags] CONTAINER'
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
    return await withEngine(args, shell, (engine) =>
      printContainerLogs(name, engine, { args, shell }),
    )
  },
}

/** Prints what a container has printed. */
export async function printContainerLogs(
  name: string,
  { client }: Engine,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<number> {
  const { id, tty } = await inspectContainer(client, name)
  const flag = (flagName: string): true | undefined => args.has(flagName) || undefined
  const { body } = await client.send({
    path: pathOf`/containers/${id}/logs`,
    query: {
      stdout: true,
      stderr: true,
      follow: flag('follow'),
      since: timeOf(args.text('since')),
      until: timeOf(args.text('until')),
      timestamps: flag('timestamps'),
      tail: args.text('tail') ?? 'all',
      details: flag('details'),
    },
  })
  await copyOutput(body, shell, { tty })
  return 0
}
