import type { FileAction } from '#builder/files'
import type {
  ExecVertex,
  FilesVertex,
  ImageVertex,
  PlannedMount,
  StepSettings,
} from '#builder/plan'
import { type CacheKey, cacheKeyOf } from '#cache'
import {
  chainIdOf,
  type DiffId,
  type Digest,
  formatPlatform,
  isJsonObject,
  type Json,
  type Platform,
} from '#core'
import { hasWildcards } from '#parser'

/** How a key names what a step takes from others: by the keys of that, or by what the files hold. */
export type KeyKind = 'definition' | 'content'

/** A key and what went into it, so that a later miss can be explained. */
export interface KeyedStep {
  readonly key: CacheKey
  readonly preimage: Json
}

/**
 * The key of a base image: its files. Another tag, or another compression of the same layers, has the
 * same key. `undefined` is the empty root of `FROM scratch`.
 */
export function imageKey(vertex: ImageVertex): CacheKey {
  return imageKeyOf(vertex.base.layers.map(({ diffId }) => diffId))
}

/** The key of a base image by its layers, bottom first. */
export function imageKeyOf(diffIds: readonly DiffId[]): CacheKey {
  return cacheKeyOf({ op: 'image', chain: chainIdOf(diffIds) ?? null })
}

/**
 * The key of what a step was done on, by the document of its own key; `undefined` for a step that stands on
 * nothing, or on anything.
 */
export function rootKeyOf(preimage: Json): CacheKey | undefined {
  const root = isJsonObject(preimage) ? preimage.root : undefined
  return typeof root === 'string' ? (root as CacheKey) : undefined
}

/**
 * The key of a RUN. Proxy settings are left out: they say how to reach other hosts, not what is built.
 * So are the names of cache mounts and how they are shared, and what secrets and agents hold.
 */
export function execKey(
  vertex: ExecVertex,
  root: CacheKey | undefined,
  input: FilesInputKey | undefined,
): KeyedStep {
  const { args, env, cwd, user, hostname, network, security, settings } = vertex.process
  const isByContent = input !== undefined && 'content' in input
  const mounts = vertex.mounts.map((mount) => mountDocument(mount, isByContent))
  return keyed({
    op: 'exec',
    root: root ?? null,
    platform: formatPlatform(machineOf(vertex.platform)),
    process: { args, env, cwd, user, hostname, network, security },
    settings: settingsDocument(settings),
    ...(mounts.length === 0 ? {} : { mounts }),
    ...timesDocument(vertex),
    ...(input === undefined ? {} : { input: { ...input } }),
  })
}

/** The release of a system decides which base image is chosen, and nothing beyond that. */
function machineOf({ os, architecture, variant }: Platform): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}

/** Without limits and addresses: they say how long a step takes and where a host is. */
function settingsDocument({ extraHosts, shmSize, ulimits, cgroupParent }: StepSettings): Json {
  return {
    extraHosts: extraHosts.map(([host]) => host),
    shmSize,
    ulimits: ulimits.map((limit) => ({ ...limit })),
    cgroupParent: cgroupParent ?? null,
  }
}

/** Where mounted files lie in their source is of no importance once they are known themselves. */
function mountDocument(mount: PlannedMount, isByContent: boolean): Json {
  const place = mount.kind === 'bind' && isByContent ? ['path'] : []
  const left = mount.kind === 'cache' ? ['id', 'sharing'] : place
  const kept = Object.entries(mount).filter(
    ([key, value]) => value !== undefined && !left.includes(key),
  )
  return Object.fromEntries(kept) as Json
}

/** What files come from: by the definitions of the steps that made them, or by what they hold. */
export type FilesInputKey =
  | { readonly definition: readonly (CacheKey | null)[] }
  | { readonly content: Digest }

/** The key of a copy. */
export function filesKey(
  vertex: FilesVertex,
  root: CacheKey | undefined,
  input: FilesInputKey | undefined,
): KeyedStep {
  const paths = input !== undefined && 'content' in input ? 'names' : 'whole'
  const document = filesDocument(vertex, root, paths)
  return keyed({ ...document, input: input === undefined ? null : { ...input } })
}

/** The step without what it copies: shows whether it was ever built. */
export function filesFamily(vertex: FilesVertex, root: CacheKey | undefined): CacheKey {
  return cacheKeyOf({ ...filesDocument(vertex, root, 'names'), family: true })
}

/** A linked layer's result is one with the stack that it was put on. */
export function linkedKey(root: CacheKey | undefined, layer: CacheKey): CacheKey {
  return cacheKeyOf({ op: 'merge', root: root ?? null, layer })
}

/** How paths in a source are named: whole, or where the content is known, by their last names. */
type NamedPaths = 'whole' | 'names'

function filesDocument(
  vertex: FilesVertex,
  root: CacheKey | undefined,
  paths: NamedPaths,
): { readonly [key: string]: Json } {
  const actions = vertex.actions.map((action) => actionDocument(action, paths))
  const on = vertex.link ? null : (root ?? null)
  return { op: 'files', root: on, actions, ...timesDocument(vertex) }
}

function actionDocument(action: FileAction, paths: NamedPaths): Json {
  // `--parents` makes the whole path again.
  const isNamed = paths === 'names' && action.kind === 'copy' && !action.parents
  const named = isNamed ? { paths: action.paths.map(lastName) } : {}
  const document = { ...action, ...named } as unknown as { readonly [key: string]: Json }
  if (action.kind !== 'copy' || action.exclude.length === 0 || action.parents) return document
  // Patterns used to apply to what a wildcard matches itself: those results are wrong by now.
  const matches = action.wildcards && action.paths.some(hasWildcards)
  return matches ? { ...document, excluded: 'below' } : document
}

/** `c` of `a/b/c`: moved files are the same files. */
function lastName(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return end === 0 ? path : path.slice(path.lastIndexOf('/', end - 1) + 1)
}

/**
 * Only where times were asked for: all other keys stay what they are. The names in the document are
 * part of stored keys.
 */
function timesDocument(vertex: ExecVertex | FilesVertex): { readonly [key: string]: Json } {
  const { maxMtime } = vertex
  const defaultMtime = vertex.op === 'files' ? vertex.defaultMtime : undefined
  return {
    ...(maxMtime === undefined ? {} : { latest: maxMtime }),
    ...(defaultMtime === undefined ? {} : { madeAt: defaultMtime }),
  }
}

function keyed(preimage: Json): KeyedStep {
  return { key: cacheKeyOf(preimage), preimage }
}
