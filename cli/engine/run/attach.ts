import { usageError } from '#core'
import { EngineError, pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments } from '../../arguments/flags.ts'
import { note, print, type Shell } from '../../terminal/shell.ts'
import type { Engine } from '../connect/engine.ts'
import { forEachName, withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { joinStreams } from '../streams/attach.ts'
import { followWindow } from '../streams/window.ts'
import { proxySignals } from './run.ts'
import { beginWait, type ContainerState, inspectContainer } from './status.ts'

const KEYS = flagsOf('Streams', {
  'detach-keys KEYS': 'Keys that leave it running (default: ctrl-p,ctrl-q)',
})

/** `tsbuild attach` */
export const ATTACH: EngineCommand = {
  name: 'attach',
  summary: 'Join standard input, output and errors with a container that runs',
  usage: 'tsbuild attach [flags] CONTAINER',
  flags: [
    ...KEYS,
    ...flagsOf('Streams', {
      'no-stdin': 'Give it nothing',
      'sig-proxy': 'Pass signals on to it (default: true)',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild attach [flags] CONTAINER'
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
    return await withEngine(args, shell, async (engine) => {
      const container = await inspectContainer(engine.client, name)
      checkRunning(container)
      const stdin = !args.has('no-stdin') && container.openStdin
      return await attachTo(container, engine, { args, shell, stdin, start: undefined })
    })
  },
}

/** `tsbuild start` */
export const START: EngineCommand = {
  name: 'start',
  summary: 'Start containers that have ended, or were only created',
  usage: 'tsbuild start [flags] CONTAINER…',
  flags: [
    ...flagsOf('Streams', {
      'a, attach': 'Show its output, and pass signals on',
      'i, interactive': 'Give it what comes on standard input',
    }),
    ...KEYS,
    ...flagsOf(
      'Container',
      {
        'checkpoint NAME': 'Start it from a checkpoint',
        'checkpoint-dir FOLDER': 'Where checkpoints are',
      },
      { isHidden: true },
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild start -ai shell', 'go on in a shell']],
  run: async (args, shell) => {
    const usage = 'tsbuild start [flags] CONTAINER…'
    const names = expectArguments(args, { least: 1, most: 1000, usage })
    return await withEngine(args, shell, async (engine) => {
      const startIt = async (name: string): Promise<void> => {
        const query = {
          detachKeys: args.text('detach-keys'),
          checkpoint: args.text('checkpoint'),
          'checkpoint-dir': args.text('checkpoint-dir'),
        }
        await ignoringUnchanged(
          engine.client.json({ method: 'POST', path: pathOf`/containers/${name}/start`, query }),
        )
      }
      if (!args.has('attach') && !args.has('interactive')) {
        const failed: string[] = []
        const code = await forEachName(names, shell, async (name) => {
          failed.push(name)
          await startIt(name)
          failed.pop()
          await print(shell, `${name}\n`)
        })
        if (code !== 0) note(shell, `failed to start containers: ${failed.join(', ')}`)
        return code
      }
      const [name = '', ...others] = names
      if (others.length > 0)
        throw usageError('you cannot start and attach multiple containers at once')
      const container = await inspectContainer(engine.client, name)
      const stdin = args.has('interactive') && container.openStdin
      return await attachTo(container, engine, {
        args,
        shell,
        stdin,
        start: () => startIt(container.id),
      })
    })
  },
}

/** Nothing had to be done: a container that runs is started. */
export async function ignoringUnchanged(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (cause) {
    if (!(cause instanceof EngineError && cause.status === 304)) throw cause
  }
}

function checkRunning({ isRunning, isPaused, isRestarting }: ContainerState): void {
  if (!isRunning) throw usageError('cannot attach to a stopped container, start it first')
  if (isPaused) throw usageError('cannot attach to a paused container, unpause it first')
  if (isRestarting)
    throw usageError('cannot attach to a restarting container, wait until it is running')
}

interface AttachOptions {
  readonly args: Arguments
  readonly shell: Shell
  readonly stdin: boolean
  /** Starts one that does not run. */
  readonly start: (() => Promise<void>) | undefined
}

async function attachTo(
  { id, tty, autoRemove }: ContainerState,
  { client }: Engine,
  { args, shell, stdin, start }: AttachOptions,
): Promise<number> {
  if (tty && stdin && shell.stdin.isTTY !== true) throw usageError('the input device is not a TTY')
  const detachKeys = args.text('detach-keys')
  const isProxied = args.text('sig-proxy') !== 'false' && !tty
  using _signals = isProxied ? proxySignals(client, id) : undefined
  // One that runs may end at any time: then it does not run, and there is no next end.
  const running = start === undefined ? await beginWait(client, id, 'not-running') : undefined
  const stream = await client.hijack({
    method: 'POST',
    path: pathOf`/containers/${id}/attach`,
    query: { stream: true, stdin, stdout: true, stderr: true, detachKeys },
  })
  const status = running ?? (await beginWait(client, id, autoRemove ? 'removed' : 'next-exit'))
  const joined = joinStreams(stream, shell, { tty, stdin, detachKeys })
  joined.catch(() => undefined)
  await start?.().catch((cause: unknown) => {
    stream.destroy()
    throw cause
  })
  using _window = tty ? followWindow(client, pathOf`/containers/${id}`, shell) : undefined
  if ((await joined) === 'ended') return await status()
  note(shell, 'read escape sequence')
  return 1
}
