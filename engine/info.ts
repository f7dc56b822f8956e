import { readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, hostname, release, totalmem } from 'node:os'
import type { BuildOptions } from '#builder'
import type { JsonObject } from '#core'
import { isUserNamespace } from '#disk'

/** What is said of an engine. */
export interface EngineFacts {
  readonly id: string
  readonly version: string
  /** The folder of its store. */
  readonly root: string
  readonly network: RegistrySettings
}

/** How registries are reached, as in `BuildOptions`; credentials come with requests. */
export type RegistrySettings = Pick<
  BuildOptions,
  'insecureRegistries' | 'registryAuthorities' | 'registryMirrors'
>

/** What GET /info says of this machine and this engine. Spec: Docker Engine API, SystemInfo */
export function infoDocument({ id, version, root, network }: EngineFacts): JsonObject {
  const cgroups = cgroupVersion()
  const isRootless = process.getuid?.() !== 0 || isUserNamespace()
  return {
    ID: id,
    Driver: 'overlay2',
    DriverStatus: [['Backing Filesystem', fileSystemAt(root)]],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    // The second version of control groups has nothing for it.
    OomKillDisable: cgroups === '1',
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: cgroups,
    KernelVersion: release(),
    OperatingSystem: osRelease('PRETTY_NAME') ?? 'Linux',
    OSVersion: osRelease('VERSION_ID') ?? '',
    OSType: 'linux',
    Architecture: ARCHITECTURES[arch()] ?? arch(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registriesOf(network),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: root,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: { runc: { path: 'tsbuild' } },
    DefaultRuntime: 'runc',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: false,
    Isolation: '',
    InitBinary: 'docker-init',
    SecurityOptions: ['name=seccomp,profile=builtin', ...(isRootless ? ['name=rootless'] : [])],
    FirewallBackend: { Driver: 'nftables' },
    Warnings: null,
  }
}

/** Spec: Docker Engine API, RegistryServiceConfig */
function registriesOf({
  insecureRegistries = [],
  registryMirrors = [],
}: RegistrySettings): JsonObject {
  const Mirrors = registryMirrors.flatMap((mirror) => {
    const [host, at] = mirror.split('=')
    return host === 'docker.io' && at !== undefined ? [`https://${at}/`] : []
  })
  const insecure = insecureRegistries.map((Name) => {
    return [Name, { Name, Mirrors: [], Secure: false, Official: false }] as const
  })
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors, Secure: true, Official: true },
      ...Object.fromEntries(insecure),
    },
    Mirrors,
  }
}

/** Names of uname, by those of Node. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

function cgroupVersion(): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  return / - cgroup /.test(mounts) ? '1' : '2'
}

/** What this system calls itself. Spec: os-release(5) */
function osRelease(field: 'PRETTY_NAME' | 'VERSION_ID'): string | undefined {
  try {
    const text = readFileSync('/etc/os-release', 'utf8')
    return new RegExp(`^${field}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1]
  } catch {
    return undefined
  }
}

/** As docker calls them. */
function fileSystemAt(path: string): string {
  return FILE_SYSTEMS.get(statfsSync(path).type) ?? '<unknown>'
}

/** By their numbers: statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x01021994, 'tmpfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlayfs'],
])
