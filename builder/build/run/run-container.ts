import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, resolveOptions, type Settings } from '#builder/options'
import { type ResolvedBase, resolveBase } from '#builder/plan'
import type { ExitStatus, ProcessSpec, RunningProcess } from '#builder/sandbox'
import { imageLowers, Reporter } from '#builder/solve'
import { openStore, type Store } from '#cache'
import {
  type BindMount,
  hostPlatform,
  type Mount,
  type Platform,
  parsePlatform,
  signalNumber,
  type TmpfsMount,
} from '#core'
import { Services } from '../services.ts'
import { openSecrets } from '../step-secrets.ts'
import { type ContainerRequest, containerProcess } from './container-process.ts'

/** A container: an image that the store has, and what is run in it. */
export interface ContainerOptions extends Omit<ContainerRequest, 'hostname' | 'hasTerminal'> {
  readonly image: string
  /** Default: that of this machine. */
  readonly platform?: string | undefined
  /** Default: 12 hexadecimal digits. */
  readonly hostname?: string
  /** Default: `default`, a network of its own. */
  readonly network?: ProcessSpec['network']
  /** It has all rights that this process has. Default: false. */
  readonly privileged?: boolean
  /** Its pid 1 is a process that releases orphans, beside the program. Default: false, the program is pid 1. */
  readonly init?: boolean
  /** Folders and files of this machine, and memory, that it sees. */
  readonly mounts?: readonly (BindMount | TmpfsMount)[]
  /** Default: `empty`. */
  readonly stdin?: 'empty' | 'pipe'
  /** The size of its terminal; absent: it has none. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** How containers are run, as in `BuildOptions`. */
export type RunOptions = Pick<
  BuildOptions,
  | ('root' | 'isolation' | 'snapshotter' | 'snapshotSize' | 'onEvent' | 'signal')
  | ('extraHosts' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent')
>

/** Serves a process that runs, until it has ended. */
export type ServeContainer = (process: RunningProcess) => Promise<ExitStatus>

/**
 * Runs a program in a container of an image, to its end; what it writes is dropped. After an abort it gets the
 * signal of the image's STOPSIGNAL, and is killed after three seconds.
 * @throws {TsbuildError} NOT_FOUND, USAGE, and as `Sandbox.start` does
 */
export async function runContainer(
  container: ContainerOptions,
  options: RunOptions,
  serve: ServeContainer,
): Promise<ExitStatus> {
  const { signal } = options
  const { stdin, terminal } = container
  const settings = resolveOptions({ ...options, context: '.' })
  const secrets = await openSecrets(settings)
  await using store = openStore(settings.root)
  await using services = new Services(settings, { store, secrets, context: '' })
  const image = await findImage(container, { store, services, settings })
  const [sandbox, snapshots] = await Promise.all([services.sandbox(), services.snapshots()])
  await using scratch = store.temporary()
  return await snapshots.use(async (snapshotter) => {
    const lower = await lowersOf(image, { store, services, settings })
    const directory = join(scratch.path, snapshotter.kind)
    await using snapshot = await snapshotter.prepare(directory, lower, signal)
    const { stopSignal, ...spec } = specOf(image, container, { root: snapshot.root, settings })
    await using running = await sandbox.start(spec, { stdin, terminal })
    using _stopping = stopAtAbort(running, stopSignal, signal)
    return await serve(running)
  })
}

interface ImageDeps {
  readonly store: Store
  readonly services: Services
  readonly settings: Settings
}

async function findImage(
  { image, platform }: ContainerOptions,
  { store, services, settings }: ImageDeps,
): Promise<ResolvedBase> {
  const { onEvent, signal } = settings
  const client = () => services.client()
  return await resolveBase(image, platformOf(platform), {
    ...{ store, client, pull: false, onEvent, signal },
  })
}

function platformOf(text: string | undefined): Platform {
  return text === undefined ? hostPlatform() : parsePlatform(text)
}

async function lowersOf(
  image: ResolvedBase,
  { store, services, settings }: ImageDeps,
): Promise<readonly string[]> {
  const { spans, signal, onEvent } = settings
  return await imageLowers(image, {
    ...{ store, spans, signal, reporter: new Reporter(onEvent) },
    ...{ pool: services.pool, watch: services.watch, lowerForm: () => services.lowerForm() },
  })
}

/** Bytes. */
const HOSTNAME_LENGTH = 6

function specOf(
  { config }: ResolvedBase,
  {
    hostname,
    network = 'default',
    privileged,
    init = false,
    mounts = [],
    ...rest
  }: ContainerOptions,
  { root, settings }: { readonly root: Mount; readonly settings: Settings },
): ProcessSpec & { readonly stopSignal: number } {
  const process = containerProcess(config.config, {
    ...rest,
    hostname: hostname ?? randomBytes(HOSTNAME_LENGTH).toString('hex'),
    hasTerminal: rest.terminal !== undefined,
  })
  const { extraHosts, shmSize, ulimits, resources, cgroupParent } = settings.steps
  return {
    ...process,
    ...{ init, network, security: privileged === true ? 'insecure' : 'sandbox' },
    ...{ extraHosts, shmSize, ulimits, resources, cgroupParent },
    stopSignal: signalNumber(process.stopSignal) ?? constants.signals.SIGTERM,
    mounts: [root, ...mounts.toSorted((a, b) => depthOf(a) - depthOf(b))],
  }
}

/** Parents before what is mounted into them. */
function depthOf({ target }: Mount): number {
  return target.split('/').filter((name) => name !== '').length
}

/** Milliseconds that a program has to end once it is asked to: less than a command has. */
const STOP_TIMEOUT = 3000

function stopAtAbort(
  running: RunningProcess,
  stopSignal: number,
  signal: AbortSignal | undefined,
): Disposable {
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    running.signal(stopSignal)
    timer = setTimeout(() => running.signal('SIGKILL'), STOP_TIMEOUT)
  }
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    },
  }
}
