import type { BuildOptions } from '#builder'
import {
  type Bytes,
  readDocument,
  type Shape,
  type StepResources,
  shapes,
  TsbuildError,
  ULIMIT_NAMES,
  type Ulimit,
} from '#core'
import { familiarReference, type Reference, withDefaultTag } from '#registry-client'
import { readReference } from '../image/find-image.ts'

/** The values of a query, with docker's rules of reading them. */
export interface BuildQuery {
  readonly text: (name: string) => string | undefined
  readonly all: (name: string) => readonly string[]
  readonly flag: (name: string) => boolean
  readonly integer: (name: string) => number | undefined
}

/** What is asked of `POST /build`. */
export interface BuildRequest {
  readonly options: Omit<BuildOptions, 'root' | 'credentials' | 'onEvent' | 'signal'>
  /** As people write them. */
  readonly tags: readonly string[]
  /** Nothing is sent but the id of the image. */
  readonly quiet: boolean
  /** Build arguments without a value, which an ARG may have. */
  readonly unset: readonly string[]
  /** `buildid`, by which it can be cancelled. */
  readonly id: string | undefined
}

/** @param body the context, unless the query names another one. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function readBuildQuery(query: BuildQuery, body: Bytes): BuildRequest {
  refuseForeign(query)
  const tags = query
    .all('t')
    .filter((tag) => tag !== '')
    .map(readTag)
  const remote = query.text('remote')
  const network = networkOf(query.text('networkmode'))
  const platform = query.text('platform')
  const resources = resourcesOf(query)
  const given = document(query, 'buildargs', ARGUMENTS) ?? {}
  const options = {
    context: remote === undefined ? body : checkRemote(remote),
    // Clients leave out what their ignore file says, but for the two files that say it.
    ignoresInFetched: true,
    ...optional('file', query.text('dockerfile')),
    tags: tags.map(familiarReference),
    ...optional('target', query.text('target')),
    buildArgs: withoutNulls(given),
    labels: document(query, 'labels', map(string)) ?? {},
    ...optional('platform', platform),
    noCache: query.flag('nocache'),
    pull: query.flag('pull'),
    squash: query.flag('squash'),
    cacheFrom: (document(query, 'cachefrom', list(string)) ?? []).map((ref) => {
      return { type: 'registry', ref } as const
    }),
    network,
    ...(network === 'host' ? { allow: ['network.host'] as const } : {}),
    extraHosts: query
      .all('extrahosts')
      .flatMap((text) => text.split(','))
      .flatMap((text) => (text === '' ? [] : [readHost(text)])),
    ...optional('shmSize', positive(query.integer('shmsize'))),
    ulimits: (document(query, 'ulimits', list(ULIMIT)) ?? []).map(readUlimit),
    resources,
    ...optional('cgroupParent', query.text('cgroupparent')),
    outputs: [{ type: 'store', unnamed: 'kept' } as const],
  }
  return {
    options,
    tags: tags.map(familiarReference),
    unset: Object.keys(given).filter((name) => given[name] === undefined),
    quiet: query.flag('q'),
    id: query.text('buildid'),
  }
}

/** Refuses what belongs to another builder, or to other systems. */
function refuseForeign(query: BuildQuery): void {
  const version = query.text('version') ?? '1'
  if (version !== '1' && version !== '2')
    throw usageError(`invalid version ${JSON.stringify(version.slice(0, 50))}`)
  if (query.all('securityopt').some((text) => text !== '')) {
    throw usageError('security options are not supported on linux')
  }
  const isolation = query.text('isolation')
  if (isolation !== undefined && isolation.toLowerCase() !== 'default') {
    throw usageError(`unsupported isolation: ${JSON.stringify(isolation.slice(0, 50))}`)
  }
}

function readTag(text: string): Reference {
  const reference = withDefaultTag(readReference(text))
  if (reference.digest === undefined) return reference
  throw usageError('refusing to create a tag with a digest reference')
}

const REMOTE = /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@[^/:]+:|github\.com\/)/

/** A path would be one of this machine, which is none of the client's business. */
function checkRemote(remote: string): string {
  if (REMOTE.test(remote)) return remote
  throw usageError(
    `unable to detect remote context type for ${JSON.stringify(remote.slice(0, 200))}`,
  )
}

function networkOf(mode = 'default'): 'default' | 'none' | 'host' {
  if (mode === 'none' || mode === 'host') return mode
  if (mode === 'default' || mode === 'bridge') return 'default'
  throw usageError(
    `network mode ${JSON.stringify(mode.slice(0, 200))} of a build: choose default, none or host`,
  )
}

const { integer, list, map, object, string } = shapes

/** Arguments without a value are declared, and have none. */
const ARGUMENTS: Shape<Readonly<Record<string, string | undefined>>> = map({
  empty: undefined,
  read: (cursor) => string.read(cursor),
})

const ULIMIT = object({ Name: string, Soft: integer, Hard: integer })

/** A value that is JSON. @throws {TsbuildError} USAGE */
function document<T>(query: BuildQuery, name: string, shape: Shape<T>): T | undefined {
  const text = query.text(name)
  if (text === undefined) return undefined
  // Values of arguments may be secret.
  return readDocument(Buffer.from(text), shape, { what: name, code: 'USAGE', isSecret: true })
}

function withoutNulls(
  given: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const set = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : ([[name, value]] as const),
  )
  return Object.fromEntries(set)
}

function readHost(text: string): readonly [host: string, address: string] {
  const at = text.search(/[:=]/)
  if (at > 0) return [text.slice(0, at), text.slice(at + 1).replace(/^\[(.*)\]$/, '$1')]
  throw usageError(`bad format for add-host: ${JSON.stringify(text.slice(0, 200))}`)
}

type WrittenUlimit = { readonly Name?: string; readonly Soft?: number; readonly Hard?: number }

function readUlimit({ Name, Soft = 0, Hard = 0 }: WrittenUlimit): Ulimit {
  const name = ULIMIT_NAMES.find((known) => known === Name)
  if (name !== undefined) return { name, soft: Soft, hard: Hard }
  throw usageError(`invalid ulimit type: ${(Name ?? '').slice(0, 50)}`)
}

/** Clients send 0 for what is not limited. */
function resourcesOf(query: BuildQuery): StepResources {
  const memory = positive(query.integer('memory'))
  const swap = query.integer('memswap')
  return {
    ...optional('memory', memory),
    ...optional('memorySwap', memory === undefined || swap === 0 ? undefined : swap),
    ...optional('cpuShares', positive(query.integer('cpushares'))),
    ...optional('cpuPeriod', positive(query.integer('cpuperiod'))),
    ...optional('cpuQuota', positive(query.integer('cpuquota'))),
    ...optional('cpusetCpus', query.text('cpusetcpus')),
    ...optional('cpusetMems', query.text('cpusetmems')),
  }
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

function optional<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: T })
}

function usageError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}
