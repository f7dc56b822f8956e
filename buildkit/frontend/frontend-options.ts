import type { BuildOptions } from '#builder'
import {
  ATTESTATION_TYPES,
  attestationsOf,
  parseAttestation,
  parseHost,
  parseUlimit,
  splitCsv,
} from '#buildkit/values'
import { type StepResources, unsupportedError, usageError } from '#core'
import { type Attributes, numberOf, switchOf, textOf, withPrefix } from './attributes.ts'

/** What attributes say of a build, but for where its files are. */
export type FrontendOptions = Pick<
  BuildOptions,
  | 'attestations'
  | 'buildArgs'
  | 'cgroupParent'
  | 'extraHosts'
  | 'labels'
  | 'network'
  | 'noCache'
  | 'platform'
  | 'pull'
  | 'resources'
  | 'shmSize'
  | 'target'
  | 'ulimits'
>

/** Attributes that say nothing of what is built, or are read elsewhere. */
const OTHERS: ReadonlySet<string> = new Set([
  ...['cache-from', 'cache-imports', 'cmdline', 'context', 'contextkey', 'contextsubdir'],
  ...['dockerfilekey', 'filename', 'frontend.caps', 'requestid', 'source'],
])
const OTHER_PREFIXES = [
  ...['attest:', 'build-arg:', 'context:', 'input-metadata:', 'input:', 'label:'],
  ...['local-sessionid:', 'sharedkey:', 'vcs:'],
]
const READ: ReadonlySet<string> = new Set([
  ...['add-hosts', 'cgroup-parent', 'cpuperiod', 'cpuquota', 'cpusetcpus', 'cpusetmems'],
  ...['cpushares', 'force-network-mode', 'hostname', 'image-resolve-mode', 'memory', 'memswap'],
  ...['multi-platform', 'no-cache', 'platform', 'shm-size', 'target', 'ulimit'],
])

/**
 * What a client asks of the frontend of Dockerfiles.
 * Spec: BuildKit, frontend/dockerui/config.go
 * @throws {TsbuildError} USAGE for what cannot be meant, UNSUPPORTED for attributes that are not known
 */
export function frontendOptions(attributes: Attributes): FrontendOptions {
  refuseUnknown(attributes)
  const platforms = textOf(attributes, 'platform')?.split(',')
  const network = networkOf(textOf(attributes, 'force-network-mode'))
  const hosts = fieldsOf(attributes, 'add-hosts')
  const ulimits = fieldsOf(attributes, 'ulimit')
  const resources = resourcesOf(attributes)
  const given: { -readonly [K in keyof FrontendOptions]: FrontendOptions[K] } = {
    buildArgs: buildArgsOf(attributes),
    labels: withPrefix(attributes, 'label:'),
    noCache: noCacheOf(attributes),
    pull: pullOf(textOf(attributes, 'image-resolve-mode')),
    extraHosts: hosts.map((host) => parseHost(host.replace('=', ':'))),
    ulimits: ulimits.map(parseUlimit),
    ...attestationsOf(
      ATTESTATION_TYPES.flatMap((type) => {
        const value = attributes.get(`attest:${type}`)
        return value === undefined ? [] : [parseAttestation(type, withoutInline(value) || 'true')]
      }),
    ),
  }
  if (platforms !== undefined) given.platform = platforms
  if (network !== undefined) given.network = network
  if (resources !== undefined) given.resources = resources
  const [target, cgroupParent] = [textOf(attributes, 'target'), textOf(attributes, 'cgroup-parent')]
  if (target !== undefined) given.target = target
  if (cgroupParent !== undefined) given.cgroupParent = cgroupParent
  const shmSize = numberOf(attributes, 'shm-size')
  if (shmSize !== undefined && shmSize !== 0) given.shmSize = shmSize
  return given
}

function refuseUnknown(attributes: Attributes): void {
  const unknown = [...attributes.keys()].find(
    (name) =>
      !OTHERS.has(name) &&
      !READ.has(name) &&
      !OTHER_PREFIXES.some((prefix) => name.startsWith(prefix)),
  )
  if (unknown === undefined) return
  throw unsupportedError(
    `the frontend option ${JSON.stringify(unknown.slice(0, 100))} is not known`,
    'leave it out: it would have no effect',
  )
}

/** Two of them are words of the frontend as well. */
function buildArgsOf(attributes: Attributes): Record<string, string> {
  const hostname = textOf(attributes, 'hostname')
  const isIndex = switchOf(attributes, 'multi-platform')
  return {
    ...(hostname === undefined ? {} : { BUILDKIT_SANDBOX_HOSTNAME: hostname }),
    ...(isIndex === undefined ? {} : { BUILDKIT_MULTI_PLATFORM: isIndex ? '1' : '0' }),
    ...withPrefix(attributes, 'build-arg:'),
  }
}

/** Given without a value: all steps. */
function noCacheOf(attributes: Attributes): boolean | readonly string[] {
  const text = attributes.get('no-cache')
  if (text === undefined || text === '') return text === ''
  return text.split(',')
}

function pullOf(mode = 'default'): boolean {
  if (mode === 'pull') return true
  if (mode === 'default' || mode === 'local') return false
  throw usageError(`invalid image-resolve-mode: ${mode.slice(0, 50)}`)
}

const NETWORKS = ['default', 'none', 'host'] as const

function networkOf(mode: string | undefined): BuildOptions['network'] {
  if (mode === undefined) return undefined
  const found = NETWORKS.find((one) => one === (mode === 'sandbox' ? 'default' : mode))
  if (found !== undefined) return found
  throw usageError(`invalid netmode ${mode.slice(0, 50)}`, `choose one of ${NETWORKS.join(', ')}`)
}

function fieldsOf(attributes: Attributes, name: string): readonly string[] {
  const text = textOf(attributes, name)
  return text === undefined ? [] : splitCsv(text)
}

/** Where nobody has asked, clients ask for it in the image only, which costs little and says little. */
function withoutInline(value: string): string {
  return value
    .split(',')
    .filter((field) => field !== 'inline-only=true')
    .join()
}

function resourcesOf(attributes: Attributes): StepResources | undefined {
  const found = {
    memory: numberOf(attributes, 'memory'),
    memorySwap: numberOf(attributes, 'memswap'),
    cpuShares: numberOf(attributes, 'cpushares'),
    cpuPeriod: numberOf(attributes, 'cpuperiod'),
    cpuQuota: numberOf(attributes, 'cpuquota'),
    cpusetCpus: textOf(attributes, 'cpusetcpus'),
    cpusetMems: textOf(attributes, 'cpusetmems'),
  }
  const given = Object.entries(found).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : (Object.fromEntries(given) as StepResources)
}
