import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import {
  type ContextLocation,
  folderOfContext,
  type NamedSources,
  parseContextLocation,
  parseNamedContexts,
} from '#builder/context'
import { checkOutput, type Output, type OutputRequest } from '#builder/export'
import { type CacheFilter, isSwitchedOn, parseCacheFilter, type StepSettings } from '#builder/plan'
import { resolveRoot } from '#cache'
import {
  formatPlatform,
  hostPlatform,
  ISOLATION_CHOICES,
  type IsolationChoice,
  type OnEvent,
  type Platform,
  parsePlatform,
  SNAPSHOTTER_KINDS,
  type SnapshotterKind,
  Spans,
  TsbuildError,
  timed,
} from '#core'
import { isBuiltInFrontend } from '#parser'
import {
  type CredentialStore,
  formatReference,
  parseReference,
  parseRegistryMirror,
  type Reference,
  type RegistryMirror,
  withDefaultTag,
} from '#registry-client'
import type { SigningKey } from '#signing'
import { type AttestationOptions, checkAttestations, isAsked } from './attestation-options.ts'
import { givesIndex, refuseAttestations } from './build-controls.ts'
import type { BuildOptions, FindAgent, FindSecret, SecretSource } from './build-options.ts'
import {
  type CacheExportSettings,
  type CacheImportSettings,
  insecureCaches,
  isInline,
  resolveCacheSource,
  resolveCacheTargets,
} from './cache-options.ts'
import { defaultCredentials, proxyArguments } from './credentials.ts'
import { resolveSteps } from './step-options.ts'

/** `BuildOptions` with everything filled in and every mistake found that needs no work to find. */
export interface Settings {
  readonly context: ContextLocation
  readonly ignoresInFetched: boolean
  readonly contexts: NamedSources
  readonly file: string | undefined
  readonly shownFile: string | undefined
  readonly dockerfile: string | undefined
  /** Chosen by a build argument, in place of what the Dockerfile says. */
  readonly frontend: 'built-in' | undefined
  readonly tags: readonly Reference[]
  readonly target: string | undefined
  readonly buildArgs: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Without repetitions; at least one. */
  readonly platforms: readonly [Platform, ...Platform[]]
  /** The user gave them; otherwise it is this machine's. */
  readonly isPlatformGiven: boolean
  /** The result is an index; of one image, if that was asked for. */
  readonly isIndex: boolean
  /** The steps that are executed even when their results are known. */
  readonly fresh: 'all' | readonly CacheFilter[]
  readonly cacheFrom: readonly CacheImportSettings[]
  readonly cacheTo: readonly CacheExportSettings[]
  /** Results of the image's steps are put into its config. */
  readonly inlineCache: boolean
  readonly pull: boolean
  readonly network: 'default' | 'none' | 'host'
  readonly steps: StepSettings
  readonly isolation: IsolationChoice
  /** The program that starts steps; absent: none. */
  readonly runtime: string | undefined
  readonly keep: readonly string[]
  readonly snapshotter: SnapshotterKind | 'auto'
  readonly snapshotSize: number | undefined
  readonly secrets: Readonly<Record<string, SecretSource>>
  readonly findSecret: FindSecret | undefined
  readonly ssh: Readonly<Record<string, readonly string[]>>
  readonly findAgent: FindAgent | undefined
  readonly reproducible: boolean
  readonly attestations: AttestationOptions
  readonly outputs: readonly Output[]
  readonly sign: readonly SigningKey[]
  /** The new layers of an image are one. */
  readonly squash: boolean
  /** Rights that the user grants. */
  readonly allow: readonly string[]
  readonly ignoreChownErrors: boolean
  /** How many steps may be under way; absent: as many as the machine has room for. */
  readonly jobs: number | undefined
  /** How many threads work on files. */
  readonly threads: number
  readonly root: string
  readonly insecureRegistries: readonly string[]
  readonly registryAuthorities: readonly string[]
  readonly registryMirrors: readonly RegistryMirror[]
  readonly credentials: CredentialStore
  /** Of the builder's process: proxies and agents of git. */
  readonly environment: Environment
  readonly onEvent: OnEvent
  readonly onExplanation: BuildOptions['onExplanation']
  readonly onLinked: BuildOptions['onLinked']
  readonly onBuilt: BuildOptions['onBuilt']
  /** Reports to `onEvent`. */
  readonly spans: Spans
  readonly signal: AbortSignal | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Fills in defaults, here and nowhere else, and finds mistakes. @throws {TsbuildError} USAGE, REFERENCE_INVALID, PLATFORM_MISMATCH */
export function resolveOptions(options: BuildOptions, env: Environment = process.env): Settings {
  const outputs = options.outputs ?? [{ type: 'store' }]
  const given = options.buildArgs ?? {}
  const buildArgs = { ...proxyArguments(env, given), ...given }
  const platforms = resolvePlatforms(options.platform)
  const { cacheFrom = [], cacheTo = [] } = options
  refuseAttestations(buildArgs)
  const onEvent = options.onEvent === undefined ? () => undefined : timed(options.onEvent)
  const settings: Settings = {
    context: contextOf(options.context, options.contextFolder),
    ignoresInFetched: options.ignoresInFetched ?? false,
    contexts: parseNamedContexts(options.contexts ?? {}),
    file: options.file,
    shownFile: options.shownFile,
    dockerfile: options.dockerfile,
    frontend: resolveFrontend(buildArgs.BUILDKIT_SYNTAX),
    tags: resolveTags(options.tags ?? []),
    target: options.target,
    buildArgs,
    labels: options.labels ?? {},
    platforms,
    isIndex: givesIndex(buildArgs, platforms.length),
    isPlatformGiven: options.platform !== undefined && options.platform.length > 0,
    fresh: resolveFresh(options.noCache ?? false),
    cacheFrom: cacheFrom.map((source) => resolveCacheSource(source, env)),
    cacheTo: resolveCacheTargets(cacheTo, env),
    inlineCache: cacheTo.some(isInline) || isSwitchedOn(buildArgs.BUILDKIT_INLINE_CACHE),
    pull: options.pull ?? false,
    network: options.network ?? 'default',
    steps: resolveSteps(options),
    isolation: options.isolation ?? 'auto',
    runtime: options.runtime === 'none' ? undefined : options.runtime,
    keep: options.keep ?? [],
    snapshotter: options.snapshotter ?? 'auto',
    snapshotSize: options.snapshotSize,
    secrets: options.secrets ?? {},
    findSecret: options.findSecret,
    ssh: options.ssh ?? {},
    findAgent: options.findAgent,
    reproducible: options.reproducible ?? false,
    attestations: options.attestations ?? {},
    outputs,
    sign: options.sign ?? [],
    squash: options.squash ?? false,
    allow: options.allow ?? [],
    ignoreChownErrors: options.ignoreChownErrors ?? false,
    jobs: options.jobs,
    threads: threadsFor(options.jobs),
    root: resolve(options.root ?? resolveRoot(env)),
    registryMirrors: (options.registryMirrors ?? []).map(parseRegistryMirror),
    registryAuthorities: options.registryAuthorities ?? [],
    insecureRegistries: [
      ...(options.insecureRegistries ?? []),
      ...insecureCaches([...cacheFrom, ...cacheTo]),
    ],
    credentials:
      options.credentials ??
      defaultCredentials(env, {
        authFile: options.authFile,
        onWarning: (message) => onEvent({ type: 'warning', message }),
      }),
    environment: env,
    onEvent,
    onExplanation: options.onExplanation,
    onLinked: options.onLinked,
    onBuilt: options.onBuilt,
    spans: new Spans(onEvent),
    signal: options.signal,
  }
  check(settings)
  return settings
}

function resolvePlatforms(wanted: BuildOptions['platform']): Settings['platforms'] {
  const texts = wanted === undefined ? [] : typeof wanted === 'string' ? [wanted] : wanted
  const platforms = texts.map(parsePlatform)
  const [first = hostPlatform(), ...others] = new Map(
    platforms.map((one) => [formatPlatform(one), one]),
  ).values()
  return [first, ...others]
}

function resolveFresh(noCache: boolean | readonly string[]): Settings['fresh'] {
  if (typeof noCache === 'boolean') return noCache ? 'all' : []
  return noCache.map(parseCacheFilter)
}

function resolveFrontend(syntax: string | undefined): Settings['frontend'] {
  if (syntax === undefined) return undefined
  if (syntax === '') {
    throw new TsbuildError('empty BUILDKIT_SYNTAX build-arg is invalid', {
      code: 'USAGE',
      hint: 'give it a value, or write --build-arg BUILDKIT_SYNTAX to take that of the environment',
    })
  }
  if (isBuiltInFrontend(syntax)) return 'built-in'
  throw new TsbuildError(`unsupported BUILDKIT_SYNTAX ${JSON.stringify(syntax)}`, {
    code: 'UNSUPPORTED',
    hint: 'tsbuild has the Dockerfile frontend built in: use docker/dockerfile:1',
  })
}

function contextOf(context: BuildOptions['context'], folder = ''): ContextLocation {
  const location: ContextLocation =
    typeof context === 'string' ? parseContextLocation(context) : { kind: 'bytes', bytes: context }
  return folder === '' ? location : folderOfContext(location, folder)
}

function resolveTags(tags: readonly string[]): readonly Reference[] {
  const references = tags.map((tag) => {
    const reference = withDefaultTag(parseReference(tag))
    if (reference.digest === undefined) return reference
    throw new TsbuildError(`invalid tag ${JSON.stringify(tag)}: a tag cannot have a digest`, {
      code: 'REFERENCE_INVALID',
      hint: 'the digest is what comes out of the build; write NAME[:TAG]',
    })
  })
  return [...new Map(references.map((one) => [formatReference(one), one])).values()]
}

/** What mistakes in an output can depend on. */
export function requestOf(settings: Settings): OutputRequest {
  const { tags, platforms, isIndex, allow, attestations } = settings
  const isAttested = isAsked(attestations)
  return { tags, platforms, isIndex, isAttested, allow }
}

/** One thread may read what another one writes. */
function threadsFor(jobs: number | undefined): number {
  const processors = availableParallelism()
  return Math.max(2, Math.min(jobs ?? processors, processors))
}

function check(settings: Settings): void {
  const { jobs } = settings
  if (jobs !== undefined && (!Number.isInteger(jobs) || jobs < 1)) {
    throw new TsbuildError(`invalid number of jobs: ${jobs}`, {
      code: 'USAGE',
      hint: 'it is how many steps may be under way at a time: 1 or more',
    })
  }
  checkIsolation(settings)
  checkSnapshots(settings)
  checkAttestations(settings.attestations)
  checkSquash(settings)
  const request = requestOf(settings)
  for (const output of settings.outputs) checkOutput(output, request)
  if (settings.sign.length > 0) checkSigned(settings)
}

function checkSigned({ outputs }: Settings): void {
  if (outputs.some(({ type }) => type === 'registry')) return
  throw new TsbuildError('nothing is pushed that could be signed', {
    code: 'USAGE',
    hint: 'signatures are in the registry, beside the image: add --push',
  })
}

function checkSquash({ squash, inlineCache }: Settings): void {
  if (!squash || !inlineCache) return
  throw new TsbuildError('a squashed image has no layers of steps for an inline cache', {
    code: 'USAGE',
    hint: 'leave --squash out, or send the cache elsewhere: --cache-to type=registry,ref=NAME',
  })
}

function checkIsolation({ isolation, snapshotter, runtime }: Settings): void {
  const kinds: readonly string[] = ISOLATION_CHOICES
  if (!kinds.includes(isolation)) {
    throw new TsbuildError(`invalid isolation ${JSON.stringify(isolation)}`, {
      code: 'USAGE',
      hint: `choose one of ${kinds.join(', ')}`,
    })
  }
  if (runtime === '') {
    throw new TsbuildError('an empty name of a runtime', {
      code: 'USAGE',
      hint: 'choose one of none, runc, crun, or write a path',
    })
  }
  if (isolation !== 'in-place') return
  if (runtime !== undefined) {
    throw new TsbuildError(`the runtime ${runtime} does not go with steps in place`, {
      code: 'USAGE',
      hint: 'runtimes need namespaces: leave --runtime or --isolation out',
    })
  }
  if (snapshotter === 'auto') return
  throw new TsbuildError(`the snapshotter ${snapshotter} does not go with steps in place`, {
    code: 'USAGE',
    hint: 'their files are those of the container: leave --snapshotter or --isolation out',
  })
}

/** Bytes: a tmpfs that is smaller takes no step. */
const LEAST_SNAPSHOT = 1024 * 1024

function checkSnapshots({ snapshotter, snapshotSize }: Settings): void {
  const kinds: readonly string[] = ['auto', ...SNAPSHOTTER_KINDS]
  if (!kinds.includes(snapshotter)) {
    throw new TsbuildError(`invalid snapshotter ${JSON.stringify(snapshotter)}`, {
      code: 'USAGE',
      hint: `choose one of ${kinds.join(', ')}`,
    })
  }
  if (snapshotSize === undefined) return
  if (snapshotter !== 'auto' && snapshotter !== 'overlay-tmpfs') {
    throw new TsbuildError(`the snapshotter ${snapshotter} has no size`, {
      code: 'USAGE',
      hint: 'only what is written to memory is limited: overlay-tmpfs,size=4g',
    })
  }
  if (Number.isSafeInteger(snapshotSize) && snapshotSize >= LEAST_SNAPSHOT) return
  throw new TsbuildError(`invalid size of snapshots: ${snapshotSize}`, {
    code: 'USAGE',
    hint: 'it is a number of bytes, at least 1m',
  })
}
