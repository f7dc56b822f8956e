import { resolveRoot } from '#cache'
import {
  chosenEndpoint,
  type DockerEndpoint,
  type EndpointChoice,
  EngineClient,
} from '#engine/client'
import type { Arguments } from '../../arguments/flags.ts'
import type { Shell } from '../../terminal/shell.ts'
import { ensureRunning, isRunning, type OwnDaemon, ownDaemon } from './own-daemon.ts'

/** The daemon of a command. */
export interface Engine extends Disposable {
  readonly client: EngineClient
  /** Set where it is tsbuild's own, which ends when there is nothing to do. */
  readonly own: OwnDaemon | undefined
}

/** The daemon that flags, variables or docker's settings name; else tsbuild's own, which is started. */
export async function openEngine(args: Arguments, shell: Shell): Promise<Engine> {
  const chosen = namedEndpoint(args, shell)
  if (chosen !== undefined) return engineAt(chosen, undefined, shell)
  const own = ownDaemonOf(args, shell)
  await ensureRunning(own)
  return engineAt({ kind: 'unix', path: own.socket }, own, shell)
}

/** The same where nothing has to be started: `undefined` when tsbuild's own daemon is meant and does not run. */
export async function runningEngine(args: Arguments, shell: Shell): Promise<Engine | undefined> {
  const chosen = namedEndpoint(args, shell)
  if (chosen !== undefined) return engineAt(chosen, undefined, shell)
  const own = ownDaemonOf(args, shell)
  if (!(await isRunning(own))) return undefined
  return engineAt({ kind: 'unix', path: own.socket }, own, shell)
}

/** A daemon that was found. */
function engineAt(
  endpoint: DockerEndpoint,
  own: OwnDaemon | undefined,
  { env, signal }: Pick<Shell, 'env' | 'signal'>,
): Engine {
  const client = new EngineClient(endpoint, { env, signal })
  return { client, own, [Symbol.dispose]: () => client[Symbol.dispose]() }
}

/** The daemon that is named; `undefined` where tsbuild's own is meant. @throws {TsbuildError} USAGE, NOT_FOUND */
function namedEndpoint(args: Arguments, { env }: Pick<Shell, 'env'>): DockerEndpoint | undefined {
  const files = {
    ...fileOf(args, 'ca'),
    ...fileOf(args, 'cert'),
    ...fileOf(args, 'key'),
  }
  const { host, context } = { host: args.text('host'), context: args.text('context') }
  return chosenEndpoint(env, { host, context, tls: tlsOf(args), files })
}

/** Tsbuild's own daemon for the store of a command. */
function ownDaemonOf(args: Arguments, { env }: Pick<Shell, 'env'>): OwnDaemon {
  return ownDaemon(args.text('root') ?? resolveRoot(env), env)
}

function tlsOf(args: Arguments): EndpointChoice['tls'] {
  const verify = args.text('tlsverify')
  if (verify === 'true') return 'verified'
  if (args.has('tls')) return 'unverified'
  return verify === 'false' ? 'off' : undefined
}

function fileOf(args: Arguments, name: 'ca' | 'cert' | 'key'): EndpointChoice['files'] {
  const path = args.text(`tls${name === 'ca' ? 'cacert' : name}`)
  return path === undefined ? {} : { [name]: path }
}
