import { TsbuildError } from './errors.ts'

/** Spec: image-spec v1.1 image-index.md, the `platform` of a descriptor. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
}

const ARCHITECTURES: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  x64: { architecture: 'amd64' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  ia32: { architecture: '386' },
  i386: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
}

const KNOWN_OS = new Set(['linux', 'windows', 'darwin', 'freebsd'])
const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(
    ' ',
  ),
)

/** The platform that this process runs on. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: process.platform, architecture: process.arch })
}

/** Canonical architecture names; arm64's `v8` is dropped and arm defaults to `v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ARCHITECTURES[platform.architecture.toLowerCase()]
  const architecture = alias?.architecture ?? platform.architecture.toLowerCase()
  const given = platform.variant?.toLowerCase() || alias?.variant
  const variant = canonicalVariant(architecture, given)
  const version = platform['os.version']
  return {
    os: platform.os.toLowerCase(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  }
}

function canonicalVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'arm64') return variant === 'v8' || variant === '8' ? undefined : variant
  if (architecture === 'amd64') return variant === 'v1' ? undefined : variant
  if (architecture !== 'arm') return variant
  return variant === undefined ? 'v7' : variant.replace(/^(?=\d)/, 'v')
}

/**
 * Parses `os`, `arch` or `os/arch[/variant]`; what is missing comes from the host.
 * @throws {TsbuildError} PLATFORM_MISMATCH for an unknown system or architecture
 */
export function parsePlatform(text: string): Platform {
  const host = hostPlatform()
  if (text === 'local') return host
  const parts = text.split('/')
  const [first = '', second, variant] = parts
  const platform = normalizePlatform(
    second !== undefined
      ? { os: first, architecture: second, ...(variant === undefined ? {} : { variant }) }
      : KNOWN_OS.has(first.toLowerCase())
        ? { os: first, architecture: host.architecture }
        : { os: host.os, architecture: first },
  )
  if (
    parts.length <= 3 &&
    KNOWN_OS.has(platform.os) &&
    KNOWN_ARCHITECTURES.has(platform.architecture)
  ) {
    return platform
  }
  throw new TsbuildError(
    `failed to parse platform ${text}: ${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`,
    { code: 'PLATFORM_MISMATCH', hint: 'write a platform as os/arch[/variant], e.g. linux/amd64' },
  )
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}

const ARM_VARIANTS = ['v5', 'v6', 'v7', 'v8']

/**
 * How well `offered` serves `wanted`: 0 is exact, larger is worse, `undefined` does not run.
 * An older arm variant runs on a newer one, and amd64/v1 on every amd64.
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted)
  const offer = normalizePlatform(offered)
  if (want.os !== offer.os) return undefined
  if (want.architecture !== offer.architecture) return undefined
  if (want.variant === offer.variant) return 0
  if (want.architecture === 'arm') {
    const distance =
      ARM_VARIANTS.indexOf(want.variant ?? 'v7') - ARM_VARIANTS.indexOf(offer.variant ?? 'v7')
    return distance > 0 ? distance : undefined
  }
  return offer.variant === undefined ? 1 : undefined
}
