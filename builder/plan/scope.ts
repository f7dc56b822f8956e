import { formatPlatform, hostPlatform, type Platform } from '#core'
import type { Dockerfile } from '#parser'
import { expandWith } from './expand.ts'

/** What FROM lines see, and what a stage's `ARG name` without a default falls back to. */
export interface GlobalScope {
  readonly values: ReadonlyMap<string, string>
  readonly buildArgs: ReadonlyMap<string, string>
}

export interface ScopeOptions {
  readonly buildArgs: Readonly<Record<string, string>>
  readonly targetPlatform: Platform
  readonly target: string | undefined
}

const PROXY_NAMES: readonly string[] = [
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'no_proxy',
  'all_proxy',
]

/** Platform arguments first, then the file's global ARGs, each seeing those before it. */
export function globalScope(dockerfile: Dockerfile, options: ScopeOptions): GlobalScope {
  const buildArgs = new Map(Object.entries(options.buildArgs))
  const values = new Map<string, string>()
  for (const [key, value] of platformArgs(dockerfile, options)) {
    values.set(key, buildArgs.get(key) ?? value)
  }
  for (const instruction of dockerfile.globalArgs) {
    for (const { key, value } of instruction.args) {
      const given = buildArgs.get(key)
      if (given !== undefined) values.set(key, given)
      else if (value !== undefined) values.set(key, expandWith(value, values, dockerfile.escape))
    }
  }
  return { values, buildArgs }
}

function platformArgs(
  dockerfile: Dockerfile,
  options: ScopeOptions,
): readonly (readonly [string, string])[] {
  const stage = options.target ?? dockerfile.stages.at(-1)?.name ?? 'default'
  return [
    ...describe('BUILD', hostPlatform()),
    ...describe('TARGET', options.targetPlatform),
    ['TARGETSTAGE', stage],
  ]
}

function describe(prefix: string, platform: Platform): (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ]
}

/** Proxy build arguments reach every process in both spellings without being declared. */
export function proxyEnv(buildArgs: ReadonlyMap<string, string>): readonly string[] {
  return PROXY_NAMES.flatMap((name) => {
    const value = buildArgs.get(name) ?? buildArgs.get(name.toUpperCase())
    return value === undefined ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`]
  })
}
