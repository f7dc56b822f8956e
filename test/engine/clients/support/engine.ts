import { mkdirSync } from 'node:fs'
import { installedFor, testedHere } from '../../../e2e/support/installed.ts'
import { startServe } from '../../../e2e/support/serve.ts'
import {
  createUser,
  type DockerdOptions,
  run,
  startDockerd,
  temporaryDirectory,
  WITH_TUNNELS,
} from '../../../support/peers/index.ts'
import { REGISTRY, type Site, startSite } from './site.ts'

/** What answers the Docker API, at a site. */
export interface Engine extends AsyncDisposable {
  /** As `fixtures/engine/differences.txt` has it: `docker.io`, `docker`, `root`, `rootless`. */
  readonly name: string
  readonly socket: string
  /** Where it keeps everything. */
  readonly folder: string
  readonly site: Site
  /** Whether it can limit what containers use. */
  readonly hasLimits: boolean
}

/** The image that sessions run; every engine has it under this name before a session begins. */
const BASE = 'busybox'

/** Debian's dockerd, or that of today's peers. */
export async function startDockerEngine(options: DockerdOptions = {}): Promise<Engine> {
  const name = options.programs === undefined ? 'docker.io' : 'docker'
  return await startEngine(name, async (site, stack) => {
    const directory = temporaryDirectory('dockerd')
    const { network } = site
    const { socket } = stack.use(await startDockerd({ ...options, directory, network }))
    return { socket, folder: directory.path }
  })
}

/** `tsbuild serve` of root. */
export async function startRootEngine(): Promise<Engine> {
  return await startEngine('root', async (site, stack) => {
    const folder = site.directory.file('engine')
    return await serve({ folder, site, stack }, testedHere().command)
  })
}

/** `tsbuild serve` of an ordinary user. */
export async function startRootlessEngine(): Promise<Engine> {
  return await startEngine('rootless', async (site, stack) => {
    const user = stack.use(await createUser())
    const installed = stack.use(await installedFor(user))
    const folder = `${user.home}/engine`
    return await serve({ folder, site, stack }, [
      ...WITH_TUNNELS,
      ...WITH_SYSFS,
      ...user.prefix,
      ...installed.command,
    ])
  })
}

/** Words before a command that show it the links of its network in /sys, as on a machine. They take a mount namespace. */
const WITH_SYSFS: readonly string[] = [
  ...['sh', '-ec'],
  `
    made=$(mktemp -d); mount -t sysfs sysfs "$made"
    mount --rbind /sys/fs/cgroup "$made/fs/cgroup"
    mount --move "$made" /sys; rmdir "$made"
    exec "$@"
  `,
  'sh',
]

type Started = Pick<Engine, 'socket' | 'folder'>

interface Place {
  readonly folder: string
  readonly site: Site
  readonly stack: AsyncDisposableStack
}

async function serve(place: Place, program: readonly string[]): Promise<Started> {
  const { folder, site, stack } = place
  const socket = `${folder}.sock`
  const log = site.directory.file('serve.log')
  stack.use(
    await startServe({
      ...{ root: `${folder}/store`, socket, log, prefix: site.enter, command: program },
    }),
  )
  return { socket, folder }
}

async function startEngine(
  name: string,
  start: (site: Site, stack: AsyncDisposableStack) => Promise<Started>,
): Promise<Engine> {
  await using stack = new AsyncDisposableStack()
  const site = stack.use(await startSite())
  const { socket, folder } = await start(site, stack)
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: site.directory.file('setup') }
  mkdirSync(env.DOCKER_CONFIG)
  for (const words of [
    ['pull', '-q', `${REGISTRY}/${BASE}`],
    ['tag', `${REGISTRY}/${BASE}`, BASE],
  ]) {
    await run('/usr/bin/docker', words, { env, timeoutMs: 30_000 })
  }
  const info = ['info', '--format', '{{.MemoryLimit}}']
  const hasLimits = (await run('/usr/bin/docker', info, { env })).stdout.trim() === 'true'
  const owned = stack.move()
  return {
    hasLimits,
    name,
    socket,
    folder,
    site,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
