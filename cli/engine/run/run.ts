import { usageError } from '#core'
import { EngineError, pathOf } from '#engine/client'
import { ENGINE_FLAGS, HELP, PROGRESS, REGISTRY_FLAGS } from '../../arguments/common-flags.ts'
import type { Arguments, Flag } from '../../arguments/flags.ts'
import { RUN_FLAGS } from '../../build/container/run-flags.ts'
import { note, print, type Shell } from '../../terminal/shell.ts'
import { type Engine, openEngine } from '../connect/engine.ts'
import { daemonMessage } from '../connect/with-engine.ts'
import type { NewContainer } from '../create/create-body.ts'
import { CREATE_FLAGS } from '../create/flags.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { type AttachmentEnd, joinStreams } from '../streams/attach.ts'
import { takeSignals } from '../streams/signals.ts'
import { followWindow } from '../streams/window.ts'
import { failureCode } from './exit-code.ts'
import { createContainer, readNewContainer } from './new-container.ts'
import { beginWait } from './status.ts'

const RUN_ONLY: readonly Flag[] = flagsOf('Container', {
  'd, detach': 'Let it run in the background, and print its id',
  'sig-proxy': 'Pass signals on to it (default: true)',
  'detach-keys KEYS': 'Keys that leave it running (default: ctrl-p,ctrl-q)',
})

const WITHOUT_DAEMON: readonly Flag[] = [
  ...flagsOf('Without a daemon', {
    'no-daemon': 'Run it in this process; nothing of it is kept, and other commands do not see it',
    'isolation KIND': 'How it is kept apart: auto, namespaces, in-place or strict',
    'snapshotter KIND':
      'How it gets its files: auto, overlay, overlay-tmpfs, fuse-overlayfs or copies',
  }),
  ...REGISTRY_FLAGS.map((flag) => ({ ...flag, group: 'Without a daemon' })),
  { ...PROGRESS, group: 'Without a daemon' },
]

/** Its short form is that of `--hostname`, as docker's. */
const LONG_HELP: Flag = { name: HELP.name, help: HELP.help, group: HELP.group }
const DAEMON_FLAGS = [...ENGINE_FLAGS.filter(({ name }) => name !== 'help'), LONG_HELP]

const flags = [...CREATE_FLAGS, ...RUN_ONLY, ...WITHOUT_DAEMON, ...DAEMON_FLAGS]

/** `tsbuild run` */
export const RUN: EngineCommand = {
  name: 'run',
  summary: 'Run a program in a new container of an image',
  usage: 'tsbuild run [flags] IMAGE [COMMAND] [ARG…]',
  endsAtFirst: true,
  flags,
  examples: [
    ['tsbuild run -it --rm debian:12', 'a shell, of which nothing is kept'],
    ['tsbuild run -d --name web -p 8080:80 nginx', 'a service in the background'],
    [
      'tsbuild run --rm -v ./src:/src -w /src node:24 npm test',
      'a command on files of this machine',
    ],
    ['echo hello | tsbuild run -i --rm alpine tr a-z A-Z', 'in a pipe'],
    ['tsbuild run --no-daemon hello', 'in this process, without a daemon'],
  ],
  notes: [
    'The image is taken from the daemon, or pulled by it.',
    'The exit code is that of the program; 127 when there is no such program, 126 when it cannot be executed, 125 when it could not be run for another reason.',
  ],
  needsNamespace: (args) => isWithoutDaemon(args) && args.text('isolation') !== 'in-place',
  run: async (args, shell) => {
    if (!isWithoutDaemon(args)) return await runContainer(args, shell)
    const { runContainerOf } = await import('../../build/container/run-container.ts')
    return await runContainerOf(checkWithoutDaemon(args), shell)
  },
}

/** `tsbuild create` */
export const CREATE: EngineCommand = {
  name: 'create',
  summary: 'Make a container of an image, which is not started yet',
  usage: 'tsbuild create [flags] IMAGE [COMMAND] [ARG…]',
  endsAtFirst: true,
  flags: [...CREATE_FLAGS, ...DAEMON_FLAGS],
  examples: [['tsbuild create --name web nginx', 'then tsbuild start web']],
  run: async (args, shell) =>
    await failingWith125(shell, 'create', async () => {
      const container = readNewContainer(args, shell)
      using engine = await openEngine(args, shell)
      await print(shell, `${await createContainer(container, engine, { args, shell })}\n`)
      return 0
    }),
}

function isWithoutDaemon(args: Arguments): boolean {
  return args.has('no-daemon') || args.text('isolation') !== undefined
}

const OF_FOREGROUND: ReadonlySet<string> = new Set([
  ...RUN_FLAGS.map(({ name }) => name),
  'no-daemon',
])

/** Nothing is left out in silence. */
function checkWithoutDaemon(args: Arguments): Arguments {
  const wrong = flags.find(({ name }) => args.text(name) !== undefined && !OF_FOREGROUND.has(name))
  if (wrong === undefined) return args
  throw usageError(`--${wrong.name} needs a daemon`, 'leave out --no-daemon and --isolation')
}

const ONLY_WITHOUT_DAEMON = ['snapshotter', ...REGISTRY_FLAGS.map(({ name }) => name)]

async function runContainer(args: Arguments, shell: Shell): Promise<number> {
  return await failingWith125(shell, 'run', async () => {
    const container = readNewContainer(args, shell)
    const wrong = ONLY_WITHOUT_DAEMON.find((name) => args.text(name) !== undefined)
    if (wrong !== undefined) {
      throw usageError(`--${wrong} is for a run without a daemon`, 'add --no-daemon')
    }
    checkTerminal(container, shell)
    using engine = await openEngine(args, shell)
    const id = await createContainer(container, engine, { args, shell })
    return await runCreated({ id, container }, engine, { args, shell })
  })
}

function checkTerminal({ body }: NewContainer, { stdin }: Shell): void {
  if (body.Tty === true && body.AttachStdin === true && stdin.isTTY !== true) {
    throw usageError('the input device is not a TTY', 'leave out -t where no person types')
  }
}

interface Created {
  readonly id: string
  readonly container: NewContainer
}

async function runCreated(
  { id, container: { body } }: Created,
  engine: Engine,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<number> {
  const { client } = engine
  const start = (): Promise<unknown> =>
    client.json({ method: 'POST', path: pathOf`/containers/${id}/start` })
  const { AttachStdin = false, AttachStdout = false, AttachStderr = false } = body
  if (!AttachStdin && !AttachStdout && !AttachStderr) {
    await start()
    await print(shell, `${id}\n`)
    return 0
  }
  if (!AttachStdout && !AttachStderr) await print(shell, `${id}\n`)
  using _signals = args.text('sig-proxy') === 'false' ? undefined : proxySignals(client, id)
  const detachKeys = args.text('detach-keys')
  const stream = await client.hijack({
    method: 'POST',
    path: pathOf`/containers/${id}/attach`,
    query: {
      stream: true,
      stdin: AttachStdin,
      stdout: AttachStdout,
      stderr: AttachStderr,
      detachKeys,
    },
  })
  const isRemoved = body.HostConfig?.AutoRemove === true
  const status = await beginWait(client, id, isRemoved ? 'removed' : 'next-exit')
  const tty = body.Tty === true
  const joined = joinStreams(stream, shell, { tty, stdin: AttachStdin, detachKeys })
  joined.catch(() => undefined)
  try {
    await start()
  } catch (cause) {
    stream.destroy()
    // The container is gone before this command says why.
    if (isRemoved) await status().catch(() => undefined)
    throw cause
  }
  using _window = tty ? followWindow(client, pathOf`/containers/${id}`, shell) : undefined
  const end: AttachmentEnd = await joined
  return end === 'detached' ? 0 : await status()
}

/** Signals go to the container; one that it does not get any more is none of this command. */
export function proxySignals(client: Engine['client'], id: string): Disposable {
  return takeSignals((signal) => {
    const path = pathOf`/containers/${id}/kill`
    client.json({ method: 'POST', path, query: { signal } }).catch(() => undefined)
  })
}

/** Failures of a run have exit codes that programs seldom have. */
async function failingWith125(
  shell: Shell,
  name: string,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EngineError) {
      note(shell, `tsbuild: ${daemonMessage(error)}\n`)
      note(shell, `Run 'tsbuild ${name} --help' for more information`)
    } else {
      const { reportError } = await import('../../reports/error-report.ts')
      reportError(error, shell)
    }
    return name === 'run' ? failureCode(error) : 1
  }
}
