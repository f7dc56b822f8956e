import type { RemoteFetcher } from '#builder/fetch'
import { type RemoteSource, sourceDateEpochSource } from '#builder/plan'
import { formatPlatform, type OnEvent, type Platform, reported, TsbuildError } from '#core'
import type { Dockerfile, GlobalScope } from '#parser'
import { type NamedSource, type NamedSources, namedSource } from './named-contexts.ts'
import { timeOfSource } from './source-time.ts'

/**
 * The time that a reproducible build gives to what it makes, in milliseconds: 1980-01-01, the oldest
 * one that zip archives, and with them Python packages and Java archives, can hold.
 */
export const REPRODUCIBLE_TIME = 315_532_800_000

const NAME = 'SOURCE_DATE_EPOCH'

/** Where a time that is not a number is looked up. */
export interface SourceDateEpochDeps {
  readonly contexts: NamedSources
  /** Of the build context. */
  readonly contextCreatedAt: () => Promise<number | undefined>
  readonly fetcher: () => RemoteFetcher
  readonly platform: Platform
  readonly onEvent: OnEvent
  readonly signal: AbortSignal | undefined
}

/** `SOURCE_DATE_EPOCH` as a time. */
export interface ResolvedSourceDateEpoch {
  /** In milliseconds. */
  readonly sourceDateEpoch: number | undefined
  /** With the time in place of the name that stood for it; without it where there is none. */
  readonly globals: GlobalScope
}

/**
 * `SOURCE_DATE_EPOCH` of the build arguments, else of the Dockerfile's global ARG: a number of seconds,
 * or what the time is taken from: `context`, a named context, or a stage that only fetches something.
 * Spec: reproducible-builds.org/specs/source-date-epoch
 * @throws {TsbuildError} USAGE, and failures to fetch
 * @throws {SourceError} DOCKERFILE_INVALID for a stage that does more
 */
export async function resolveSourceDateEpoch(
  dockerfile: Dockerfile,
  globals: GlobalScope,
  sources: SourceDateEpochDeps,
): Promise<ResolvedSourceDateEpoch> {
  const text = globals.buildArgs.get(NAME) ?? globals.values.get(NAME) ?? ''
  if (text === '') return { sourceDateEpoch: undefined, globals }
  if (/^\d+$/.test(text)) return { sourceDateEpoch: millisecondsOf(text), globals }
  const find = finderOf(text, dockerfile, { globals, sources })
  if (find === undefined) throw invalidError(text)
  const name = `[internal] resolve ${NAME} ${text}`
  const id = `epoch ${formatPlatform(sources.platform)}`
  const found = await reported({ id, name, part: 'resolve' }, sources.onEvent, find)
  const seconds = found === undefined ? undefined : Math.floor(found / 1000)
  return {
    sourceDateEpoch: seconds === undefined ? undefined : seconds * 1000,
    globals: withSourceDateEpoch(globals, seconds),
  }
}

type Find = () => Promise<number | undefined>

/** Where a source of time is looked for. */
interface FinderDeps {
  readonly globals: GlobalScope
  readonly sources: SourceDateEpochDeps
}

function finderOf(text: string, dockerfile: Dockerfile, deps: FinderDeps): Find | undefined {
  const { contexts, contextCreatedAt, fetcher, signal } = deps.sources
  if (text === 'context') return contextCreatedAt
  const context = namedSource(contexts, text)
  const remote =
    context === undefined
      ? sourceDateEpochSource(text, dockerfile, deps.globals)
      : remoteContext(context)
  if (remote !== undefined) return () => timeOfSource(remote, fetcher(), signal)
  // A folder and an image have no time of their own.
  return context === undefined ? undefined : async () => undefined
}

function remoteContext(context: NamedSource): RemoteSource | undefined {
  switch (context.kind) {
    case 'git':
      return { op: 'git', source: context.source }
    case 'http':
      return { op: 'http', source: context.source }
    default:
      return undefined
  }
}

function withSourceDateEpoch(
  { buildArgs, values }: GlobalScope,
  seconds: number | undefined,
): GlobalScope {
  const replaced = (map: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map(
      [...map].flatMap(([key, value]) => {
        if (key !== NAME) return [[key, value] as const]
        return seconds === undefined ? [] : [[key, String(seconds)] as const]
      }),
    )
  return { buildArgs: replaced(buildArgs), values: replaced(values) }
}

function millisecondsOf(text: string): number {
  const milliseconds = Number(text) * 1000
  // What a Date can hold, and the image config with it.
  if (milliseconds <= 8.64e15) return milliseconds
  throw invalidError(text)
}

function invalidError(text: string): TsbuildError {
  return new TsbuildError(`invalid ${NAME}: ${text}`, {
    code: 'USAGE',
    hint: 'it is a time in whole seconds since 1970, such as `git log -1 --format=%ct` prints, `context`, or the name of a context or of a stage with nothing but an ADD',
  })
}
