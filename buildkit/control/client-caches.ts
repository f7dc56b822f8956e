import type { BuildOptions } from '#builder'
import type { CacheOptionsEntry } from '#buildkit/messages'
import { readCacheFrom, readCacheTo } from '#buildkit/values'
import { type JsonObject, readDocument, shapes, TsbuildError } from '#core'

const { list, map, object, string } = shapes
const IMPORTS = list(object({ Type: string, Attrs: map(string) }))

/** Values that name files of this machine. */
const PATHS = ['sign', 'verify']

/** What reaches folders of a client. */
export interface CacheFolders {
  /**
   * Brings what a digest leads to of a client's store here.
   * @returns the folder; `undefined` where the client does not have it
   */
  readonly fetch: (store: string, digest: string) => Promise<string | undefined>
  /** A path for a folder of the build. */
  readonly newFolder: () => string
}

/**
 * Caches that a client names, for what it asks of the frontend. One that is missing is passed over.
 * @param attributes have some, too
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export async function cachesToRead(
  entries: readonly CacheOptionsEntry[],
  attributes: ReadonlyMap<string, string>,
  { fetch }: CacheFolders,
): Promise<NonNullable<BuildOptions['cacheFrom']>> {
  const found: NonNullable<BuildOptions['cacheFrom']>[number][] = []
  for (const entry of [...entries, ...importsIn(attributes)]) {
    if (entry.Type === 'local') {
      const [src = '', digest = ''] = [entry.Attrs.get('src'), entry.Attrs.get('digest')]
      const folder = await fetch(`local:${src}`, digest)
      if (folder !== undefined) found.push({ type: 'local', src: folder, digest })
    } else found.push(...readCacheFrom(fieldsOf(entry)))
  }
  return found
}

/** Caches that get the results of a build, and the folders of those that are the client's. */
export interface WrittenCaches {
  readonly cacheTo: NonNullable<BuildOptions['cacheTo']>
  readonly sent: readonly { readonly store: string; readonly folder: string }[]
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED */
export function cachesToWrite(
  entries: readonly CacheOptionsEntry[],
  { newFolder }: Pick<CacheFolders, 'newFolder'>,
): WrittenCaches {
  const sent: WrittenCaches['sent'][number][] = []
  const cacheTo = entries.flatMap((entry) => {
    if (entry.Type !== 'local') return readCacheTo(fieldsOf(entry))
    const folder = newFolder()
    sent.push({ store: `local:${entry.Attrs.get('dest') ?? ''}`, folder })
    const attributes = new Map([...entry.Attrs, ['dest', folder], ['tag', 'latest']])
    attributes.delete('reset')
    return readCacheTo(fieldsOf({ Type: entry.Type, Attrs: attributes }))
  })
  return { cacheTo, sent }
}

/** What a client needs to know of a cache that it has got. Spec: BuildKit, cache/remotecache */
export function cacheResponse(manifest: JsonObject): readonly [string, string] {
  return ['cache.manifest', JSON.stringify(manifest)]
}

function importsIn(attributes: ReadonlyMap<string, string>): readonly CacheOptionsEntry[] {
  const text = attributes.get('cache-imports') ?? ''
  const older = (attributes.get('cache-from') ?? '').split(',').filter((ref) => ref !== '')
  const found =
    text === ''
      ? []
      : (readDocument(Buffer.from(text), IMPORTS, { what: 'cache-imports', code: 'USAGE' }) ?? [])
  return [
    ...found.map(({ Type = '', Attrs = {} }) => ({ Type, Attrs: new Map(Object.entries(Attrs)) })),
    ...older.map((ref) => ({ Type: 'registry', Attrs: new Map([['ref', ref]]) })),
  ]
}

function fieldsOf({ Type, Attrs }: CacheOptionsEntry): readonly string[] {
  const path = PATHS.find((name) => Attrs.has(name))
  if (path !== undefined) {
    throw new TsbuildError(`unknown option "${path}" of a cache`, { code: 'USAGE' })
  }
  return [`type=${Type}`, ...[...Attrs].map(([key, value]) => `${key}=${value}`)]
}
