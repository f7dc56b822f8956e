import { formatPlatform, hostPlatform, type Platform, TsbuildError } from '#core'
import { type Dockerfile, evaluateGlobals, type GlobalScope } from '#parser'
import { checkDefault } from './expand.ts'

/** What the predefined arguments of a build depend on. */
export interface ScopeOptions {
  readonly buildArgs: Readonly<Record<string, string>>
  readonly targetPlatform: Platform
  readonly target: string | undefined
}

/** Known to every build without a declaration, in any case of their letters. */
const PROXY_NAMES: readonly string[] = [
  ...['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'],
]

/** Arguments that control the builder. A Dockerfile sees them only where it declares them. */
const CONTROL_NAMES: ReadonlySet<string> = new Set([
  'BUILDKIT_BUILD_NAME',
  'BUILDKIT_CACHE_MOUNT_NS',
  'BUILDKIT_CONTEXT_KEEP_GIT_DIR',
  'BUILDKIT_DISABLE_FILEOP',
  'BUILDKIT_DOCKERFILE_CHECK',
  'BUILDKIT_INLINE_CACHE',
  'BUILDKIT_MULTI_PLATFORM',
  'BUILDKIT_SANDBOX_HOSTNAME',
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
  'BUILDKIT_SYNTAX',
  'SOURCE_DATE_EPOCH',
])

/**
 * Platform arguments first, then the file's global ARGs, each seeing those before it.
 * @throws {SourceError} DOCKERFILE_INVALID
 * @throws {TsbuildError} USAGE for an argument that asks for what was removed
 */
export function globalScope(dockerfile: Dockerfile, options: ScopeOptions): GlobalScope {
  const buildArgs = new Map(Object.entries(options.buildArgs))
  refuseRemoved(buildArgs)
  const { scope, args } = evaluateGlobals(
    dockerfile,
    predefinedArgs(dockerfile, options),
    buildArgs,
  )
  for (const arg of args) checkDefault(arg)
  return scope
}

/** The platform arguments with the build arguments that replace them. */
export function predefinedArgs(
  dockerfile: Dockerfile,
  options: ScopeOptions,
): ReadonlyMap<string, string> {
  const given = new Map(Object.entries(options.buildArgs))
  const args = platformArgs(dockerfile, options)
  return new Map(args.map(([key, value]) => [key, given.get(key) ?? value]))
}

function platformArgs(
  dockerfile: Dockerfile,
  options: ScopeOptions,
): readonly (readonly [string, string])[] {
  const stage = options.target || dockerfile.stages.at(-1)?.name || 'default'
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

/** How a build argument that is a switch is read; case does not matter. */
export function isSwitchedOn(value: string | undefined): boolean {
  return /^(1|t|true)$/i.test(value ?? '')
}

function refuseRemoved(buildArgs: ReadonlyMap<string, string>): void {
  if (!isSwitchedOn(buildArgs.get('BUILDKIT_DISABLE_FILEOP'))) return
  throw new TsbuildError(
    'support for "BUILDKIT_DISABLE_FILEOP" build-arg was removed in BuildKit 0.11',
    { code: 'USAGE', hint: 'build without it' },
  )
}

/** Proxy build arguments reach every process in both spellings without being declared. */
export function proxyEnv(buildArgs: ReadonlyMap<string, string>): readonly string[] {
  return PROXY_NAMES.flatMap((name) => {
    const value = proxyValue(name, buildArgs)
    return value === '' ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`]
  })
}

/** In lower case, in upper case, else in a mixture of both. */
function proxyValue(name: string, buildArgs: ReadonlyMap<string, string>): string {
  const exact = buildArgs.get(name) ?? buildArgs.get(name.toUpperCase())
  if (exact !== undefined) return exact
  const mixed = [...buildArgs.keys()].find((key) => key.toLowerCase() === name)
  return mixed === undefined ? '' : (buildArgs.get(mixed) ?? '')
}

/**
 * The unused build arguments, sorted: those that no ARG of the file declares and that are not
 * predefined. Pass a Dockerfile with spliced triggers to have these considered.
 */
export function unusedBuildArgs(dockerfile: Dockerfile, globals: GlobalScope): readonly string[] {
  const instructions = dockerfile.stages.flatMap((stage) => stage.instructions)
  const declarations = [...dockerfile.globalArgs, ...instructions]
  const declared = new Set(
    declarations.flatMap((one) => (one.kind === 'arg' ? one.args.map(({ key }) => key) : [])),
  )
  const isKnown = (name: string): boolean =>
    declared.has(name) ||
    globals.values.has(name) ||
    CONTROL_NAMES.has(name) ||
    PROXY_NAMES.includes(name.toLowerCase())
  return [...globals.buildArgs.keys()].filter((name) => !isKnown(name)).sort()
}
