import { TsbuildError } from '../errors.ts'

/** Spec: image-spec v1.1 image-index.md, the `platform` of a descriptor. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
}

/** The variant that a name stands for wins over the one that is given. */
const ALIASES: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  x64: { architecture: 'amd64' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  ia32: { architecture: '386', variant: '' },
  i386: { architecture: '386', variant: '' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
}

/** The spellings of variants that are not the canonical one; empty is the architecture itself. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  amd64: { v1: '' },
  arm64: { '8': '', v8: '', 'v8.0': '', '9': 'v9', '9.0': 'v9', 'v9.0': 'v9' },
  arm: { '': 'v7', '5': 'v5', '6': 'v6', '7': 'v7', '8': 'v8' },
}

/** What a name without a slash may be. */
const KNOWN_OS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
)
const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(
    ' ',
  ),
)

/** `os(version+feature+feature)`. */
const OS_PART = /^(?<os>[\w-]+)(?:\((?<version>[\w.%-]*)(?<features>(?:\+[\w.%-]+)*)\))?$/
const PART = /^[\w.-]+$/

/** The platform that this process runs on. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: process.platform, architecture: process.arch })
}

/** Canonical names of systems, architectures and variants: `v8` of arm64 is none, arm is `v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ALIASES[platform.architecture.toLowerCase()]
  const architecture = alias?.architecture ?? platform.architecture.toLowerCase()
  const given = alias?.variant ?? platform.variant?.toLowerCase() ?? ''
  const variant = VARIANTS[architecture]?.[given] ?? given
  const version = platform['os.version'] ?? ''
  const features = [...new Set(platform['os.features'])].filter((one) => one !== '').sort()
  const os = platform.os.toLowerCase()
  return {
    os: os === 'macos' ? 'darwin' : os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(version === '' ? {} : { 'os.version': version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
  }
}

/**
 * Parses `os`, `arch` or `os/arch[/variant]`; what is missing comes from the host. A system may have
 * its version and features with it: `windows(10.0.20348.1+win32k)/amd64`. A name that stands alone has
 * to be known; any other may be anything.
 * @throws {TsbuildError} PLATFORM_MISMATCH
 */
export function parsePlatform(text: string): Platform {
  if (text === 'local') return hostPlatform()
  const [first = '', second, variant, ...rest] = text.split('/')
  const system = OS_PART.exec(first)?.groups
  if (system === undefined)
    throw invalidPlatformError(text, `${quote(first)} is not an operating system`)
  for (const part of [second, variant]) {
    if (part !== undefined && !PART.test(part)) {
      throw invalidPlatformError(text, `${quote(part)} is an invalid component of ${quote(text)}`)
    }
  }
  if (rest.length > 0)
    throw invalidPlatformError(text, `${quote(text)}: cannot parse platform specifier`)
  const options = {
    'os.version': decoded(system.version ?? '', text),
    'os.features': (system.features ?? '').split('+').map((feature) => decoded(feature, text)),
  }
  if (second === undefined) return completed(text, system.os ?? '', options)
  const given = variant === undefined ? {} : { variant }
  return normalizePlatform({ os: system.os ?? '', architecture: second, ...given, ...options })
}

/** The platform of a lone system or architecture. */
function completed(text: string, name: string, options: Partial<Platform>): Platform {
  const host = hostPlatform()
  const { os } = normalizePlatform({ os: name, architecture: '' })
  if (KNOWN_OS.has(os)) {
    return normalizePlatform({ ...options, os, architecture: host.architecture })
  }
  const platform = normalizePlatform({ os: host.os, architecture: text })
  if (KNOWN_ARCHITECTURES.has(platform.architecture)) return platform
  throw invalidPlatformError(text, `${quote(text)}: unknown operating system or architecture`)
}

function invalidPlatformError(text: string, why: string): TsbuildError {
  return new TsbuildError(`failed to parse platform ${text}: ${why}: invalid argument`, {
    code: 'PLATFORM_MISMATCH',
    hint: 'write a platform as os/arch[/variant], e.g. linux/amd64',
  })
}

function quote(text: string): string {
  return JSON.stringify(text)
}

/** `os/arch[/variant]`, with the version and the features of the system where it has them. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  const parts = [`${os}${formatOptions(platform)}`, architecture, variant]
  return parts.filter((part) => part !== undefined && part !== '').join('/')
}

function formatOptions(platform: Platform): string {
  const { 'os.version': version = '', 'os.features': features = [] } = platform
  const options = [version, ...features].map(encoded).join('+')
  return options === '' ? '' : `(${options})`
}

/** What would be taken for a part of the notation is written as in a URL. */
function encoded(option: string): string {
  return option.replaceAll(/[%+()/]/g, encodedCharacter)
}

function encodedCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function decoded(option: string, text: string): string {
  try {
    return decodeURIComponent(option)
  } catch {
    throw invalidPlatformError(text, `${quote(option)} is not a version or feature of a system`)
  }
}
