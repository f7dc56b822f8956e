import type { NamedContext } from '#builder/plan'
import { TsbuildError } from '#core'
import type { Replacement } from '#parser'
import { familiarReference, parseReference } from '#registry-client'
import { type ContextLocation, folderProblem, parseContextLocation } from './context-location.ts'
import { readIgnoreFile } from './ignore-file.ts'

/** What a named context is: an image by another name, a stage of the Dockerfile, or files. */
export type NamedSource =
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'stage'; readonly name: string }
  | Exclude<ContextLocation, { readonly kind: 'bytes' }>

/** Named contexts by their normal names. */
export type NamedSources = ReadonlyMap<string, NamedSource>

const IMAGE = 'docker-image://'
const LAYOUT = 'oci-layout://'
const TARGET = 'target:'

/**
 * Reads what names stand for. Names are those of images: `alpine` and
 * `docker.io/library/alpine:latest` are one.
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID, UNSUPPORTED
 */
export function parseNamedContexts(contexts: Readonly<Record<string, string>>): NamedSources {
  return new Map(
    Object.entries(contexts).map(([name, value]) => {
      try {
        return [keyOf(name), parseSource(value)] as const
      } catch (cause) {
        if (!(cause instanceof TsbuildError)) throw cause
        const { code, hint, message } = cause
        const isName = code === 'REFERENCE_INVALID'
        throw new TsbuildError(
          isName
            ? `invalid context name ${name}: ${message}`
            : `failed to get build context ${name}: ${message}`,
          { code: isName ? 'USAGE' : code, hint, cause },
        )
      }
    }),
  )
}

function parseSource(value: string): NamedSource {
  if (value.startsWith(IMAGE)) return { kind: 'image', name: value.slice(IMAGE.length) }
  if (value.startsWith(LAYOUT)) return { kind: 'image', name: value }
  if (value.startsWith(TARGET)) return { kind: 'stage', name: value.slice(TARGET.length) }
  const source = parseContextLocation(value)
  if (source.kind === 'bytes') throw new Error('text is never bytes')
  if (source.kind !== 'folder') return source
  const problem = folderProblem(source.path)
  if (problem === undefined) return source
  throw new TsbuildError(`path ${JSON.stringify(source.path)} ${problem}`, {
    code: 'CONTEXT_INVALID',
    hint: 'it is a folder, docker-image://NAME, oci-layout://FOLDER, a git repository or a URL',
  })
}

/** For `LinkOptions`: what is to be used instead of an image or a stage. */
export function replacementIn(sources: NamedSources): (name: string) => Replacement | undefined {
  return (name) => {
    const key = sources.size === 0 ? undefined : keyOrUndefined(name)
    const source = key === undefined ? undefined : sources.get(key)
    if (key === undefined || source === undefined) return undefined
    return source.kind === 'image' || source.kind === 'stage'
      ? source
      : { kind: 'context', name: key }
  }
}

/** What a name stands for, if anything. */
export function namedSource(sources: NamedSources, name: string): NamedSource | undefined {
  const key = sources.size === 0 ? undefined : keyOrUndefined(name)
  return key === undefined ? undefined : sources.get(key)
}

/** For the plan: those that are files. */
export function plannedContexts(sources: NamedSources): ReadonlyMap<string, NamedContext> {
  return new Map(
    [...sources].flatMap(([name, source]): readonly (readonly [string, NamedContext])[] => {
      if (source.kind === 'image' || source.kind === 'stage') return []
      return [[name, source.kind === 'folder' ? { kind: 'folder' } : source]]
    }),
  )
}

/** A folder whose files steps copy. */
export interface ContextFolder {
  readonly kind: 'context'
  readonly directory: string
  /** Text of the ignore file; empty without one. */
  readonly ignore: string
  /** Of files: as they are, or what git keeps of them. */
  readonly modes: 'kept' | 'git'
}

/**
 * For the solver: the folders, without what their own ignore files leave out.
 * @throws {TsbuildError} CONTEXT_INVALID for an ignore file that cannot be used
 */
export function contextFolders(
  sources: NamedSources,
  modes: 'kept' | 'git',
): ReadonlyMap<string, ContextFolder> {
  return new Map(
    [...sources].flatMap(([name, source]): readonly (readonly [string, ContextFolder])[] => {
      if (source.kind !== 'folder') return []
      const ignore = readIgnoreFile(source.path, undefined)?.text ?? ''
      return [[name, { kind: 'context', directory: source.path, ignore, modes }]]
    }),
  )
}

function keyOf(name: string): string {
  return familiarReference(parseReference(name)).replace(/:latest$/, '')
}

function keyOrUndefined(name: string): string | undefined {
  try {
    return keyOf(name)
  } catch (cause) {
    // Such as oci-layout://…, or a stage that no image could be called.
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}
