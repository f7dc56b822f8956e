import { unsupportedError, usageError } from '#core'
/**
 * From docker's flags to the body of POST /containers/create. Nothing is asked of the daemon; of this machine only the
 * files that flags name are read, and the variables that `--env NAME` takes from here.
 */
import type { CreateBody, HostConfig } from '#engine/model'
import type { Arguments } from '../../arguments/flags.ts'
import { parseHealth } from './health.ts'
import { parseMount, parseTmpfs, parseVolumes } from './mounts.ts'
import { parseNetworks } from './networks.ts'
import { parsePorts } from './ports.ts'
import { parseResources } from './resources.ts'
import { parseRestart } from './restart.ts'
import { parseSecurity } from './security.ts'
import { bytesOf, integerOf, linesOfFile, pairs, splitPair, withoutEmpty } from './values.ts'

/** What a new container is made of. */
export interface NewContainer {
  readonly body: CreateBody
  readonly name: string | undefined
  readonly platform: string | undefined
}

/** What a command line is read with. */
export interface CreateContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Proxies that docker's settings give to every container. */
  readonly proxies: Readonly<Record<string, string>>
  /** Rows and columns of the terminal that this command has. */
  readonly terminal: readonly [number, number] | undefined
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED; what of a file cannot be read */
export function parseCreate(args: Arguments, context: CreateContext): NewContainer {
  const [image, ...command] = args.positionals
  if (image === undefined) throw usageError('an image has to be named')
  if (args.text('gpus') !== undefined) {
    throw unsupportedError('--gpus: there is no runtime for GPUs', 'name devices with --device')
  }
  const { exposed, bindings } = parsePorts(args.list('publish'), args.list('expose'))
  const { binds, volumes } = parseVolumes(args.list('volume'))
  const { mode, endpoints } = parseNetworks(args)
  const config = withoutEmpty({
    ...attachments(args),
    Hostname: args.text('hostname'),
    Domainname: args.text('domainname'),
    User: args.text('user'),
    Tty: args.has('tty'),
    OpenStdin: args.has('interactive'),
    ExposedPorts: exposed,
    Env: environmentOf(args, context),
    Cmd: command,
    Image: image,
    Volumes: volumes,
    WorkingDir: args.text('workdir'),
    Labels: pairs([
      ...args.list('label-file').flatMap((path) => linesOfFile(path, undefined)),
      ...args.list('label'),
    ]),
    StopSignal: args.text('stop-signal'),
    Healthcheck: parseHealth(args),
  })
  const stopTimeout = integerOf(args, 'stop-timeout')
  const body: CreateBody = {
    ...config,
    ...entrypointOf(args),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    HostConfig: hostConfigOf(args, { binds, bindings, mode, terminal: context.terminal }),
    NetworkingConfig: { EndpointsConfig: endpoints },
  }
  return {
    body,
    name: args.text('name') || undefined,
    platform: args.text('platform') || undefined,
  }
}

/** `--entrypoint=` takes the image's away. */
function entrypointOf(args: Arguments): Pick<CreateBody, 'Entrypoint'> {
  const entrypoint = args.text('entrypoint')
  return entrypoint === undefined ? {} : { Entrypoint: [entrypoint] }
}

/** Without `--attach`, outputs are; an input that is attached is closed with the first client. */
function attachments(args: Arguments): Partial<CreateBody> {
  const wanted = args.list('attach').map((name) => name.toLowerCase())
  const wrong = wanted.find((name) => !/^std(?:in|out|err)$/.test(name))
  if (wrong !== undefined) {
    throw usageError(
      `invalid argument "${wrong}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`,
    )
  }
  if (args.has('detach')) {
    if (wanted.length > 0) {
      throw usageError('conflicting options: cannot specify both --attach and --detach')
    }
    return {}
  }
  const stdin = wanted.includes('stdin') || args.has('interactive')
  return {
    AttachStdin: stdin,
    AttachStdout: wanted.length === 0 || wanted.includes('stdout'),
    AttachStderr: wanted.length === 0 || wanted.includes('stderr'),
    StdinOnce: stdin && args.has('interactive'),
  }
}

/** Of the same variable the last one counts; a name alone takes the value from here. */
function environmentOf(args: Arguments, { env, proxies }: CreateContext): readonly string[] {
  const given = args.list('env').map((entry) => {
    const [name] = splitPair(entry)
    if (name === '') throw usageError(`invalid environment variable: ${entry}`)
    const value = env[entry]
    return entry.includes('=') || value === undefined ? entry : `${entry}=${value}`
  })
  const last = new Map<string, string>()
  const others = Object.entries(proxies).map(([name, value]) => `${name}=${value}`)
  for (const entry of [...others, ...given]) last.set(splitPair(entry)[0], entry)
  return [...args.list('env-file').flatMap((path) => linesOfFile(path, env)), ...last.values()]
}

interface HostParts {
  readonly binds: readonly string[]
  readonly bindings: NonNullable<HostConfig['PortBindings']>
  readonly mode: string
  readonly terminal: readonly [number, number] | undefined
}

function hostConfigOf(args: Arguments, { binds, bindings, mode, terminal }: HostParts): HostConfig {
  const restart = parseRestart(args.text('restart'))
  if (args.has('rm') && restart.Name !== 'no') {
    throw usageError('conflicting options: cannot specify both --restart and --rm')
  }
  const { SecurityOpt = [], ...paths } = parseSecurity(args.list('security-opt'))
  const parts = withoutEmpty({
    Binds: binds,
    ContainerIDFile: args.text('cidfile'),
    LogConfig: withoutEmpty(logConfigOf(args)),
    NetworkMode: mode,
    PortBindings: bindings,
    RestartPolicy: restart,
    AutoRemove: args.has('rm'),
    VolumeDriver: args.text('volume-driver'),
    VolumesFrom: args.list('volumes-from'),
    Mounts: args.list('mount').map(parseMount),
    ConsoleSize: terminal,
    Annotations: pairs(args.list('annotation')),
    CapAdd: args.list('cap-add'),
    CapDrop: args.list('cap-drop'),
    Dns: args.list('dns'),
    DnsOptions: [...args.list('dns-option'), ...args.list('dns-opt')],
    DnsSearch: args.list('dns-search'),
    ExtraHosts: args.list('add-host').map(extraHost),
    GroupAdd: args.list('group-add'),
    Links: args.list('link'),
    OomScoreAdj: integerOf(args, 'oom-score-adj'),
    Privileged: args.has('privileged'),
    PublishAllPorts: args.has('publish-all'),
    ReadonlyRootfs: args.has('read-only'),
    SecurityOpt,
    StorageOpt: pairs(args.list('storage-opt')),
    Tmpfs: parseTmpfs(args.list('tmpfs')),
    ShmSize: bytesOf(args, 'shm-size'),
    Sysctls: pairs(args.list('sysctl')),
    Runtime: args.text('runtime'),
    ...namespacesOf(args),
    ...parseResources(args),
  })
  const init = args.text('init')
  return {
    ...parts,
    ...paths,
    ...(init === undefined ? {} : { Init: init === 'true' }),
  } as HostConfig
}

function namespacesOf(args: Arguments): Partial<HostConfig> {
  const allowed = {
    pid: /^(?:|host|container:.+)$/s,
    uts: /^(?:|host)$/,
    userns: /^(?:|host)$/,
    cgroupns: /^(?:|host|private)$/,
  }
  const names = { pid: 'PID', uts: 'UTS', userns: 'USER', cgroupns: 'CGROUP' }
  const mode = (flag: keyof typeof allowed): string => {
    const text = args.text(flag) ?? ''
    if (allowed[flag].test(text)) return text
    throw usageError(`--${flag}: invalid ${names[flag]} mode`)
  }
  return {
    PidMode: mode('pid'),
    UTSMode: mode('uts'),
    UsernsMode: mode('userns'),
    CgroupnsMode: mode('cgroupns'),
    IpcMode: args.text('ipc') ?? '',
  }
}

function logConfigOf(args: Arguments): {
  readonly Type: string
  readonly Config: Readonly<Record<string, string>>
} {
  const driver = args.text('log-driver') ?? ''
  const options = args.list('log-opt')
  if (driver === 'none' && options.length > 0) {
    throw usageError('invalid logging opts for driver none')
  }
  return { Type: driver, Config: pairs(options) }
}

/** `NAME:IP`, or `NAME=IP`, which an address of IPv6 reads better with. */
function extraHost(text: string): string {
  const [, name, ip] = /^([^:=]+)[:=](.+)$/s.exec(text) ?? []
  if (name === undefined || ip === undefined) {
    throw usageError(
      `invalid argument "${text}" for "--add-host" flag: bad format for add-host: "${text}"`,
    )
  }
  return `${name}:${ip.replace(/^\[(.*)\]$/, '$1')}`
}
