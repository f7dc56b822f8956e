import { usageError } from '#core'
import { EngineError, pathOf } from '#engine/client'
import type { ExecBody } from '#engine/model'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import type { Arguments } from '../../arguments/flags.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import type { Engine } from '../connect/engine.ts'
import { withEngine } from '../connect/with-engine.ts'
import { linesOfFile, withoutEmpty } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { objectOf } from '../format/json.ts'
import { joinStreams } from '../streams/attach.ts'
import { followWindow, windowOf } from '../streams/window.ts'

const usage = 'tsbuild exec [flags] CONTAINER COMMAND [ARG…]'

/** `tsbuild exec` */
export const EXEC: EngineCommand = {
  name: 'exec',
  summary: 'Run another program in a container that runs',
  usage,
  endsAtFirst: true,
  flags: [
    ...flagsOf('Program', {
      'd, detach': 'Let it run in the background',
      'i, interactive': 'Give it what comes on standard input',
      't, tty': 'Give it a terminal',
      'u, user USER[:GROUP]': 'Run as this user',
      'w, workdir FOLDER': 'Start there',
      privileged: 'Give it all rights',
      'detach-keys KEYS': 'Keys that leave it running (default: ctrl-p,ctrl-q)',
    }),
    ...flagsOf(
      'Program',
      {
        'e, env NAME[=VALUE]': 'Set a variable; without a value, to that of this environment',
        'env-file FILE': 'Set the variables in a file, one a line',
      },
      { repeat: true },
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild exec -it web sh', 'a shell in the container web'],
    ['tsbuild exec web cat /etc/hosts', 'one command'],
  ],
  run: async (args, shell) => {
    const [name, ...command] = args.positionals
    if (name === undefined || command.length === 0) {
      throw usageError('a container and a command have to be named', `usage: ${usage}`)
    }
    const body = execBody(args, command, shell)
    if (body.Tty === true && body.AttachStdin === true && shell.stdin.isTTY !== true) {
      throw usageError('the input device is not a TTY', 'leave out -t where no person types')
    }
    return await withEngine(args, shell, (engine) => execIn(name, body, { engine, args, shell }))
  },
}

/** The body of a new process. */
function execBody(args: Arguments, command: readonly string[], shell: Shell): ExecBody {
  const { env } = shell
  const isAttached = !args.has('detach')
  const given = args.list('env').map((entry) => {
    const value = env[entry]
    return entry.includes('=') || value === undefined ? entry : `${entry}=${value}`
  })
  return withoutEmpty({
    User: args.text('user'),
    Privileged: args.has('privileged'),
    Tty: args.has('tty'),
    ConsoleSize: args.has('tty') ? windowOf(shell) : undefined,
    AttachStdin: isAttached && args.has('interactive'),
    AttachStdout: isAttached,
    AttachStderr: isAttached,
    Detach: !isAttached,
    DetachKeys: args.text('detach-keys'),
    Env: [...args.list('env-file').flatMap((path) => linesOfFile(path, env)), ...given],
    WorkingDir: args.text('workdir'),
    Cmd: command,
  })
}

interface ExecContext {
  readonly engine: Engine
  readonly args: Arguments
  readonly shell: Shell
}

async function execIn(
  name: string,
  body: ExecBody,
  { engine, args, shell }: ExecContext,
): Promise<number> {
  const { client } = engine
  const created = await client.json({
    method: 'POST',
    path: pathOf`/containers/${name}/exec`,
    body: { kind: 'json', value: body },
  })
  const id = String(objectOf(created).Id)
  const start = { method: 'POST', path: pathOf`/exec/${id}/start` } as const
  const tty = body.Tty === true
  if (args.has('detach')) {
    await client.json({ ...start, body: { kind: 'json', value: { Detach: true, Tty: tty } } })
    return 0
  }
  const size = body.ConsoleSize === undefined ? {} : { ConsoleSize: body.ConsoleSize }
  const stream = await client.hijack({
    ...start,
    body: { kind: 'json', value: { Detach: false, Tty: tty, ...size } },
  })
  using _window = tty ? followWindow(client, pathOf`/exec/${id}`, shell) : undefined
  const stdin = body.AttachStdin === true
  const end = await joinStreams(stream, shell, { tty, stdin, detachKeys: args.text('detach-keys') })
  if (end === 'detached') {
    note(shell, 'read escape sequence')
    return 0
  }
  return await exitCodeOf(client, id)
}

async function exitCodeOf(client: Engine['client'], id: string): Promise<number> {
  try {
    const { ExitCode } = objectOf(await client.json({ path: pathOf`/exec/${id}/json` }))
    return Number(ExitCode ?? 0)
  } catch (cause) {
    // The container went together with the process.
    if (cause instanceof EngineError && cause.status === 404) return 0
    throw cause
  }
}
