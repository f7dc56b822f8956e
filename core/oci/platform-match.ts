import { normalizePlatform, type Platform } from './platform.ts'

const OLDEST_ARM = 5

/**
 * How well `offered` serves `wanted`: 0 is exact, larger is worse, `undefined` does not run. Older
 * variants run on newer ones, 386 on amd64 and arm on arm64.
 * Spec: the order of containerd's platform matcher
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted)
  const offer = normalizePlatform(offered)
  if (want.os !== offer.os || !servesVersion(want, offer)) return undefined
  const rank = machinesFor(want).findIndex(
    ({ architecture, variant }) => architecture === offer.architecture && variant === offer.variant,
  )
  const missing = missingFeatures(want, offer)
  if (rank < 0 || missing === undefined) return undefined
  // More of the wanted features is better, as long as the machine is as good.
  return rank * ((want['os.features']?.length ?? 0) + 1) + missing
}

/** Whether both are programs for the same kind of system and processor, of whatever variant. */
export function isSameMachine(one: Platform, other: Platform): boolean {
  const [a, b] = [normalizePlatform(one), normalizePlatform(other)]
  return a.os === b.os && a.architecture === b.architecture
}

type Machine = Pick<Platform, 'architecture' | 'variant'>

/** The machines whose programs run on a normalized platform, best first. */
function machinesFor({ architecture, variant }: Machine): readonly Machine[] {
  const itself: Machine = { architecture, ...(variant === undefined ? {} : { variant }) }
  switch (architecture) {
    case 'amd64': {
      const older = countDown(levelOf(variant) - 1, 2).map((level) => ({
        architecture,
        variant: `v${level}`,
      }))
      const plain = variant === undefined ? [] : [{ architecture }]
      return [itself, ...older, ...plain, { architecture: '386' }]
    }
    case 'arm64':
      return [
        itself,
        ...olderArm64(variant),
        ...machinesFor({ architecture: 'arm', variant: 'v8' }),
      ]
    case 'arm': {
      const older = countDown(levelOf(variant) - 1, OLDEST_ARM)
      return [itself, ...older.map((level) => ({ architecture, variant: `v${level}` }))]
    }
    default:
      return [itself]
  }
}

/** arm64/v9.N has all of v8.(N+5), and v8.9 is the last of its kind. */
function olderArm64(variant = 'v8'): readonly Machine[] {
  const [found, major, minor = '0'] = /^v([89])(?:\.(\d))?$/.exec(variant) ?? []
  if (found === undefined) return []
  const level = Number(minor)
  if (major === '8') return countDown(level - 1, 0).map(arm64v8)
  return [
    ...countDown(level - 1, 0).map(arm64v9),
    ...countDown(Math.min(level + 5, 9), 0).map(arm64v8),
  ]
}

function arm64v8(minor: number): Machine {
  return { architecture: 'arm64', ...(minor === 0 ? {} : { variant: `v8.${minor}` }) }
}

function arm64v9(minor: number): Machine {
  return { architecture: 'arm64', variant: minor === 0 ? 'v9' : `v9.${minor}` }
}

function levelOf(variant: string | undefined): number {
  return Number(/^v(\d{1,2})$/.exec(variant ?? '')?.[1] ?? 0)
}

function countDown(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(from - to + 1, 0) }, (_, index) => from - index)
}

/** How many of the wanted features are not offered; `undefined` where others are. */
function missingFeatures(want: Platform, offer: Platform): number | undefined {
  const wanted = new Set(want['os.features'])
  // Every image for Windows may have it, asked for or not.
  const offered = (offer['os.features'] ?? []).filter(
    (feature) => offer.os !== 'windows' || feature !== 'win32k',
  )
  return offered.every((feature) => wanted.has(feature)) ? wanted.size - offered.length : undefined
}

/** Builds of Windows whose containers later releases keep running, up to the next one. */
const WINDOWS_LTSC: readonly number[] = [20348, 26100]

/**
 * Whether containers of one release run on another; only Windows tells releases apart.
 * Spec: Microsoft's table of Windows container version compatibility
 */
function servesVersion(want: Platform, offer: Platform): boolean {
  if (want.os !== 'windows' || !offer['os.version']) return true
  const host = windowsRelease(want['os.version'])
  if (host === undefined) return true
  const container = windowsRelease(offer['os.version'])
  if (host.version !== container?.version) return false
  const [first = 0] = WINDOWS_LTSC
  if (host.build < first) return host.build === container.build
  const oldest = WINDOWS_LTSC.findLast((build) => build < host.build) ?? first
  return oldest <= container.build && container.build <= host.build
}

function windowsRelease(
  text: string | undefined,
): { readonly version: string; readonly build: number } | undefined {
  const [, version, build] = /^(\d+\.\d+)\.(\d+)/.exec(text ?? '') ?? []
  return version === undefined ? undefined : { version, build: Number(build) }
}
