/**
 * The daemon that is tsbuild's own: it is started when it is needed, and ends by itself. Where its socket lies follows
 * from the store, so that all commands for one store meet at one daemon. See ADR 78.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { isSea } from 'node:sea'
import { setTimeout } from 'node:timers/promises'
import { lockFile, resolveRoot } from '#cache'
import { ioError, TsbuildError } from '#core'
import { isUserNamespace } from '#disk'

type Environment = Readonly<Record<string, string | undefined>>

/** The daemon of a store. */
export interface OwnDaemon {
  /** The store. */
  readonly root: string
  readonly socket: string
  readonly env: Environment
}

/** How long a daemon without anything to do goes on. */
const IDLE = '60s'
/** Milliseconds until a daemon has to answer that was started. */
const PATIENCE = 30_000
const POLL = 10
/** Bytes of what a daemon that did not start has said. */
const MAX_REPORT = 4000

/** Where the daemon of a store is reached, whether it runs or not. */
export function ownDaemon(root: string, env: Environment): OwnDaemon {
  const store = resolve(root)
  const usual = resolveRoot({ ...env, TSBUILD_ROOT: undefined })
  const id = createHash('sha256').update(store).digest('hex').slice(0, 12)
  const folder = runtimeFolder(env)
  if (folder === undefined) return { root: store, socket: join(store, 'run', NAME), env }
  const name = store === resolve(usual) ? NAME : `${id}.sock`
  return { root: store, socket: join(folder, 'tsbuild', name), env }
}

const NAME = 'engine.sock'

/** Paths of sockets have at most 107 bytes, which a store's path may have already. */
function runtimeFolder({ XDG_RUNTIME_DIR }: Environment): string | undefined {
  // Root has one place, whether it has logged in or not. A user that is root in a namespace is a user.
  if (process.geteuid?.() === 0 && !isUserNamespace()) return '/run'
  return XDG_RUNTIME_DIR || undefined
}

/** @returns whether a daemon answers there */
export async function isRunning({ socket }: Pick<OwnDaemon, 'socket'>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const connection = connect(socket)
  connection.once('connect', () => resolve(true))
  connection.once('error', () => resolve(false))
  const answers = await promise
  connection.destroy()
  return answers
}

/** Starts the daemon, unless it runs. Of several processes that do so, one starts it. */
export async function ensureRunning(daemon: OwnDaemon): Promise<void> {
  if (await isRunning(daemon)) return
  makePrivateFolder(dirname(daemon.socket))
  using _lock = await lockFile(`${daemon.socket}.lock`)
  if (await isRunning(daemon)) return
  await start(daemon)
}

/** What listens there is trusted with files of this user: nobody else may put something into the folder. */
function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw ioError(`make ${path} for the socket of the daemon`, cause)
  }
  const { uid, mode } = lstatSync(path)
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return
  throw new TsbuildError(`${path} is not only this user's`, {
    code: 'PERMISSION_DENIED',
    hint: 'the socket of the daemon lies there: remove the folder, or give it to this user alone',
  })
}

async function start(daemon: OwnDaemon): Promise<void> {
  const { root, socket, env } = daemon
  const log = `${socket}.log`
  const output = openSync(log, 'w', 0o600)
  const program = isSea() ? [] : [...process.execArgv, process.argv[1] ?? '']
  const words = ['serve', '--root', root, '--host', `unix://${socket}`, '--idle-timeout', IDLE]
  const child = spawn(process.execPath, [...program, ...words], {
    cwd: '/',
    detached: true,
    env: { ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  child.once('error', (cause) => resolve(cause.message))
  child.once('exit', (code, signal) => resolve(reportOf(log) || `it ended with ${signal ?? code}`))
  const failure = await Promise.race([ended, untilRunning(daemon)])
  child.removeAllListeners()
  child.unref()
  if (failure === undefined) return
  throw new TsbuildError(`start the daemon of ${root}: ${failure}`, {
    code: 'ENGINE_UNREACHABLE',
    hint: 'name another daemon with -H or $DOCKER_HOST, or run tsbuild serve to see more',
  })
}

async function untilRunning(daemon: OwnDaemon): Promise<string | undefined> {
  const deadline = performance.now() + PATIENCE
  while (!(await isRunning(daemon))) {
    if (performance.now() > deadline) return `it does not answer at ${daemon.socket}`
    await setTimeout(POLL)
  }
  return undefined
}

function reportOf(log: string): string {
  return readFileSync(log, 'utf8').slice(-MAX_REPORT).trim()
}
