import { writeFileSync } from 'node:fs'
import { busyboxBase, pushLayout } from './base-images.ts'
import { type Daemon, startDaemon } from './process.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'

/** A docker-registry on a free port of the loopback interface, with storage of its own. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port`, the first part of an image name. */
  readonly host: string
  /** Where its blobs and tags are, in the layout of docker-registry. */
  readonly storage: string
  /** What it logged, one line a request. */
  readonly log: string
  readonly daemon: Daemon
}

/** Where a registry listens. */
export interface RegistryPlace {
  /** Words before its command, which start it elsewhere. */
  readonly enter: readonly string[]
  /** `127.0.0.1:port` */
  readonly addr: string
}

const ANY_PORT: RegistryPlace = { enter: [], addr: '127.0.0.1:0' }

/** @param settings further parts of its configuration: `auth`, `proxy` */
export async function startRegistry(
  settings: object = {},
  { enter, addr }: RegistryPlace = ANY_PORT,
): Promise<Registry> {
  const directory = temporaryDirectory('registry')
  const storage = directory.file('storage')
  const log = directory.file('log')
  const configuration = writeConfiguration(directory, { storage, addr, settings })
  const daemon = await serve(enter, log, configuration)
  return {
    host: daemon.ready,
    storage,
    log,
    daemon,
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

/** One that has the base image `busybox:latest`. */
export async function startBusyboxRegistry(): Promise<Registry> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startRegistry())
  await pushLayout(await busyboxBase(), `${registry.host}/busybox:latest`)
  stack.move()
  return registry
}

/** Serves what `registry` has at the same address in the network namespace of a process. Needs root. */
export async function startRegistryTwin(registry: Registry, pid: number): Promise<AsyncDisposable> {
  const directory = temporaryDirectory('registry')
  const { storage, host: addr } = registry
  const configuration = writeConfiguration(directory, { storage, addr, settings: {} })
  const enter = ['nsenter', `--net=/proc/${pid}/ns/net`]
  const daemon = await serve(enter, directory.file('log'), configuration)
  return {
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

async function serve(
  prefix: readonly string[],
  log: string,
  configuration: string,
): Promise<Daemon> {
  const [command = '', ...rest] = [...prefix, 'docker-registry', 'serve', configuration]
  return await startDaemon(command, rest, {
    log,
    ready: (text) => /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1],
  })
}

function writeConfiguration(
  directory: TemporaryDirectory,
  { storage, addr, settings }: { storage: string; addr: string; settings: object },
): string {
  const path = directory.file('config.json')
  const document = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr },
    ...settings,
  }
  writeFileSync(path, JSON.stringify(document))
  return path
}
