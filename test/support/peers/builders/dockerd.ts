import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeControlGroups } from '../control-groups.ts'
import { CLEAN_ENVIRONMENT, capture, type Outcome, run, startDaemon } from '../process.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.ts'

/** A Docker daemon of its own, the only user of which is the test: BuildKit, in short. */
export interface Dockerd extends AsyncDisposable {
  /** Path of the socket that it answers its HTTP interface on. */
  readonly socket: string
  /** The config document of one of its images, byte for byte; `docker save` gives none without layers. */
  readConfig(id: string): string
  /** Runs the docker client against it. Throws when the client fails. */
  docker(args: readonly string[]): Promise<Outcome>
  /** The same, whatever the client's exit code is. */
  tryDocker(args: readonly string[]): Promise<Outcome>
  /** `docker build` by BuildKit, on the host's network. Throws when the build fails. */
  build(args: readonly string[]): Promise<Outcome>
}

export interface DockerdOptions {
  /** Where it keeps everything, which ends with it. */
  readonly directory?: TemporaryDirectory
  /** What `unpackPeers` gave: its dockerd, containerd and runc instead of Debian's. */
  readonly programs?: string
  /** A user of this machine whose subordinate ids are those of all containers (`userns-remap`). */
  readonly remap?: string
  /** Path of a network namespace, in which it makes its bridge and the rules of its firewall. */
  readonly network?: string
}

/**
 * Starts dockerd without a network of its own, unless one is named: it makes no bridge and no firewall rule. Registries
 * on 127.0.0.0/8 are plain HTTP for it. Needs root.
 */
export async function startDockerd(options: DockerdOptions = {}): Promise<Dockerd> {
  const { programs, remap, network, directory = temporaryDirectory('dockerd') } = options
  // The root of its containers has to reach what it keeps for them.
  if (remap !== undefined) chmodSync(directory.path, 0o711)
  const socket = directory.file('sock')
  const cgroup = `tsbuild-${directory.path.slice(-6)}`
  const env = {
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_BUILDKIT: '1',
    DOCKER_CONFIG: directory.file('client'),
    BUILDKIT_PROGRESS: 'plain',
  }
  // /usr/local/bin may hold another docker client, one without BuildKit.
  const docker = (args: readonly string[]) => run('/usr/bin/docker', args, { env })
  // In a mount namespace of its own, so that no mount outlives it.
  const command = ['--mount', '--propagation', 'private', join(programs ?? '/usr/sbin', 'dockerd')]
  const args = [...command, ...daemonArguments(directory.path, cgroup)]
  const variants = [
    ...(programs === undefined ? ['--storage-driver=overlay2'] : []),
    ...(remap === undefined ? [] : [`--userns-remap=${remap}`]),
    ...(network === undefined ? WITHOUT_NETWORK : []),
  ]
  const place = network === undefined ? [] : ['nsenter', `--net=${network}`]
  const [program = '', ...words] = [...place, 'unshare', ...args, ...variants]
  const daemon = await startDaemon(program, words, {
    ...(programs === undefined ? {} : { env: programsEnvironment(programs) }),
    log: directory.file('log'),
    ready: async () => {
      const outcome = await capture('/usr/bin/docker', ['version'], { env })
      return outcome.status === 0 ? socket : undefined
    },
  })
  return {
    socket,
    readConfig: (id) => {
      const path = `data/image/overlay2/imagedb/content/${id.replace(':', '/')}`
      return readFileSync(directory.file(path), 'utf8')
    },
    docker,
    tryDocker: (args) => capture('/usr/bin/docker', args, { env }),
    build: (args) => docker(['build', '--network=host', ...args]),
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      removeControlGroups(cgroup)
      directory[Symbol.dispose]()
    },
  }
}

/** Today's dockerd answers as old clients expect it when it is asked to. */
function programsEnvironment(programs: string): Readonly<Record<string, string>> {
  return { PATH: `${programs}:${CLEAN_ENVIRONMENT.PATH}`, DOCKER_MIN_API_VERSION: '1.24' }
}

function daemonArguments(directory: string, cgroup: string): string[] {
  return [
    `--data-root=${join(directory, 'data')}`,
    `--exec-root=${join(directory, 'exec')}`,
    `--pidfile=${join(directory, 'pid')}`,
    `--host=unix://${join(directory, 'sock')}`,
    `--cgroup-parent=/${cgroup}`,
  ]
}

const WITHOUT_NETWORK = ['--iptables=false', '--ip6tables=false', '--bridge=none']
