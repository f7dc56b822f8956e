import type { LayerCompression } from '#builder/export'
import { TsbuildError } from '#core'
import { parseReference, type Reference, withDefaultTag } from '#registry-client'
import {
  type ObjectCacheOptions,
  type ObjectPlace,
  resolveObjectPlace,
  type S3CacheOptions,
  type S3WriteOptions,
} from './object-caches.ts'

/** A cache elsewhere in which results are looked up. */
export type CacheSource =
  | {
      readonly type: 'registry'
      /** `registry/repository:tag`. */
      readonly ref: string
      /** As in `insecureRegistries`, for its registry. */
      readonly insecure?: boolean
      /** A PEM file with a public key: only what is signed with it is used. */
      readonly verify?: string
    }
  | {
      readonly type: 'local'
      readonly verify?: string
      /** A folder that a `CacheTarget` has written. */
      readonly src: string
      /** Default: `latest`. */
      readonly tag?: string
      /** Of the index, in place of the tag. */
      readonly digest?: string
    }
  | (ObjectCacheOptions & { readonly verify?: string })

/** What all caches have in common to which results are sent. */
interface SharedTargetOptions {
  /** `min` (default): results whose layers the image has; `max`: all that the build has made or used. */
  readonly mode?: 'min' | 'max'
  /** Default: that of the first output that packs layers, else gzip. */
  readonly compression?: LayerCompression
  /** gzip: 0 to 9, zstd: 1 to 22; of layers that are packed for this cache. */
  readonly compressionLevel?: number
  /** Layers that come from another cache are packed anew if they are packed otherwise. Default: false. */
  readonly forceCompression?: boolean
  /** A failure is a warning, and not an error after the image was sent. Default: false. */
  readonly ignoreError?: boolean
  /** Cache mounts that steps have used are sent, too. Default: false. */
  readonly mounts?: boolean
  /** A PEM file with a private key, with which results are signed. */
  readonly sign?: string
}

/** A cache elsewhere to which results are sent. */
export type CacheTarget =
  | (SharedTargetOptions & {
      readonly type: 'registry'
      readonly ref: string
      readonly insecure?: boolean
    })
  | (SharedTargetOptions & {
      readonly type: 'local'
      /** A folder, which becomes an OCI image layout. */
      readonly dest: string
      readonly tag?: string
    })
  | (SharedTargetOptions & Exclude<ObjectCacheOptions, S3CacheOptions>)
  | (SharedTargetOptions & S3CacheOptions & S3WriteOptions)
  /** The config of the image, which is found through its name in a registry. */
  | { readonly type: 'inline' }

/** Where a cache lies. */
export type CacheLocation =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | { readonly kind: 'folder'; readonly folder: string; readonly tag: string }
  | ObjectPlace

/** A `CacheSource` with everything filled in. */
export interface CacheImportSettings {
  readonly location: CacheLocation
  /** File of a public key. */
  readonly verify: string | undefined
}

/** A `CacheTarget` with everything filled in. */
export interface CacheExportSettings {
  readonly location: CacheLocation
  readonly mode: 'min' | 'max'
  readonly compression: LayerCompression | undefined
  readonly level: number | undefined
  readonly isForced: boolean
  readonly ignoresErrors: boolean
  readonly sendsMounts: boolean
  /** File of a private key. */
  readonly sign: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws {TsbuildError} REFERENCE_INVALID, USAGE */
export function resolveCacheSource(source: CacheSource, env: Environment): CacheImportSettings {
  const { verify } = source
  if (source.type === 'local') {
    const { src: folder, digest, tag = 'latest' } = source
    return { location: { kind: 'folder', folder, tag: digest ?? tag }, verify }
  }
  if (source.type !== 'registry') return { location: resolveObjectPlace(source, env), verify }
  const reference = withDefaultTag(parseReference(source.ref))
  return { location: { kind: 'registry', reference }, verify }
}

/** A cache of its own, beside the image. */
type SeparateTarget = Exclude<CacheTarget, { type: 'inline' }>

/** Whether results go into the config of the image. */
export function isInline(target: CacheTarget): boolean {
  return target.type === 'inline'
}

/** @throws {TsbuildError} REFERENCE_INVALID, USAGE */
export function resolveCacheTargets(
  targets: readonly CacheTarget[],
  env: Environment,
): readonly CacheExportSettings[] {
  return targets.flatMap((target) => (target.type === 'inline' ? [] : [resolveTarget(target, env)]))
}

function resolveTarget(target: SeparateTarget, env: Environment): CacheExportSettings {
  const { mode = 'min', compression, forceCompression = false, ignoreError = false } = target
  checkLevel(target)
  return {
    location: locationOf(target, env),
    mode,
    compression,
    level: target.compressionLevel,
    isForced: forceCompression,
    ignoresErrors: ignoreError,
    sendsMounts: target.mounts ?? false,
    sign: target.sign,
  }
}

/** What a compression takes as its level: the least and the most. */
const LEVELS = { gzip: [0, 9], zstd: [1, 22], 'zstd:chunked': [1, 22] } as const

function checkLevel({ compression = 'gzip', compressionLevel: level }: SeparateTarget): void {
  if (level === undefined) return
  if (compression === 'uncompressed') {
    const hint = 'leave compression-level out, or choose gzip or zstd'
    throw new TsbuildError('uncompressed layers have no compression-level', { code: 'USAGE', hint })
  }
  const [least, most] = LEVELS[compression]
  if (Number.isInteger(level) && level >= least && level <= most) return
  throw new TsbuildError(`invalid compression-level of a cache: ${level}`, {
    code: 'USAGE',
    hint: `${compression} takes ${least} to ${most}`,
  })
}

function locationOf(target: SeparateTarget, env: Environment): CacheLocation {
  if (target.type === 'local') {
    return { kind: 'folder', folder: target.dest, tag: target.tag ?? 'latest' }
  }
  if (target.type !== 'registry') return resolveObjectPlace(target, env)
  const reference = withDefaultTag(parseReference(target.ref))
  if (reference.digest === undefined) return { kind: 'registry', reference }
  throw new TsbuildError(`a cache cannot be written to the digest ${reference.digest}`, {
    code: 'USAGE',
    hint: 'name it with a tag: REGISTRY/REPOSITORY:TAG',
  })
}

/** The registries that caches are in and that are spoken to as insecure ones. */
export function insecureCaches(caches: readonly (CacheSource | CacheTarget)[]): readonly string[] {
  return caches.flatMap((cache) =>
    cache.type === 'registry' && cache.insecure === true
      ? [parseReference(cache.ref).registry]
      : [],
  )
}
