import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeControlGroups } from '../control-groups.ts'
import { type Outcome, run, startDaemon } from '../process.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.ts'
import { CNI_PLUGINS } from './cni-plugins.ts'

/** A BuildKit daemon of its own, the only user of which is the test. */
export interface Buildkitd extends AsyncDisposable {
  readonly pid: number
  /** Path of the socket that it answers gRPC on. */
  readonly socket: string
  /** `0.32.2` */
  readonly version: string
  /** Runs buildctl against it. Throws, with the end of what it wrote, when that fails. */
  buildctl(args: readonly string[]): Promise<Outcome>
  /**
   * Builds a folder with a `Dockerfile` in it; progress is plain, on standard error.
   * @param args of `buildctl build`: `--output …`, `--opt target=…`, `--allow security.insecure`
   */
  build(context: string, args?: readonly string[]): Promise<Outcome>
  /** `docker buildx build` by it, with the flags that people type. Throws when the build fails. */
  buildx(args: readonly string[]): Promise<Outcome>
}

export interface BuildkitdOptions {
  /** Where it keeps everything, which ends with it; not on an overlay. */
  readonly directory?: TemporaryDirectory
  /** Words before the command, which start it elsewhere. */
  readonly enter?: readonly string[]
  /** `--oci-worker-net`: what network its steps have. Default: `host`. */
  readonly network?: string
  /** How many networks it makes before a step needs them. Default: none. */
  readonly networkPool?: number
  /** Rights that builds may ask for with `--allow`: `network.host`, `security.insecure`. */
  readonly entitlements?: readonly string[]
  /** `host:port` of a registry on the loopback whose `library/NAME` is the image `NAME`. */
  readonly mirror?: string
}

/** What buildx calls the daemon. */
const BUILDER = 'here'

/**
 * Starts the buildkitd of today's peers with their runc, in a mount namespace so that no mount
 * outlives it. Registries on 127.0.0.0/8 are plain HTTP for it. Needs root.
 * @param programs what `unpackPeers` gave
 */
export async function startBuildkitd(
  programs: string,
  options: BuildkitdOptions = {},
): Promise<Buildkitd> {
  const { directory = temporaryDirectory('buildkitd'), enter = [], networkPool = 0 } = options
  const socket = directory.file('sock')
  const cgroup = `tsbuild-${directory.path.slice(-6)}`
  const config = directory.file('buildkitd.toml')
  writeFileSync(config, configOf(options, cgroup))
  const buildctl = (args: readonly string[]): Promise<Outcome> =>
    run(join(programs, 'buildctl'), ['--addr', `unix://${socket}`, ...args])
  const [command = '', ...words] = [
    ...[...enter, 'unshare', '--mount', '--propagation', 'private', join(programs, 'buildkitd')],
    ...['--config', config, '--root', directory.file('state'), '--addr', `unix://${socket}`],
    ...['--oci-worker-binary', join(programs, 'runc'), '--cdi-disabled'],
    ...['--oci-worker-net', options.network ?? 'host', '--containerd-worker=false'],
    ...['--oci-cni-binary-dir', CNI_PLUGINS, '--oci-cni-pool-size', `${networkPool}`],
    ...['--otel-socket-path', directory.file('otel')],
  ]
  const daemon = await startDaemon(command, words, {
    // What the mirror does not have is asked of docker.io next: the proxy refuses that.
    env: options.mirror === undefined ? {} : { HTTPS_PROXY: `http://${options.mirror}` },
    log: directory.file('log'),
    ready: (log) => (log.includes('running server on') ? socket : undefined),
  })
  const { stdout } = await run(join(programs, 'buildkitd'), ['--version'])
  const buildx = join(programs, 'docker-buildx')
  const env = { BUILDX_CONFIG: directory.file('buildx'), DOCKER_CONFIG: directory.file('docker') }
  const remote = ['--name', BUILDER, '--driver', 'remote', `unix://${socket}`]
  await run(buildx, ['create', ...remote], { env })
  return {
    pid: daemon.pid,
    socket,
    version: / v(\d\S*)/.exec(stdout)?.[1] ?? stdout.trim(),
    buildctl,
    buildx: (args) =>
      run(buildx, ['build', '--builder', BUILDER, '--progress', 'plain', ...args], { env }),
    build: (context, args = []) => {
      const locals = ['context', 'dockerfile'].flatMap((name) => ['--local', `${name}=${context}`])
      const frontend = ['--progress', 'plain', '--frontend', 'dockerfile.v0']
      return buildctl(['build', ...frontend, ...locals, ...args])
    },
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      removeControlGroups(cgroup)
      directory[Symbol.dispose]()
    },
  }
}

function configOf(options: BuildkitdOptions, cgroup: string): string {
  const { entitlements = [], mirror } = options
  return [
    `insecure-entitlements = ${JSON.stringify(entitlements)}`,
    '[worker.oci]',
    `defaultCgroupParent = "/${cgroup}"`,
    ...(mirror === undefined
      ? []
      : [
          '[registry."docker.io"]',
          `mirrors = ["${mirror}"]`,
          `[registry."${mirror}"]`,
          'http = true',
        ]),
    '',
  ].join('\n')
}
