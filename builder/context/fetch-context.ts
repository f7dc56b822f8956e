import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { GitSource, HttpFile, HttpSource, RemoteFetcher } from '#builder/fetch'
import { gitSourceName, httpSourceName } from '#builder/fetch'
import { decompress, detectCompression, extractArchive, isTarHeader } from '#builder/layer'
import { type CacheKey, cacheKeyOf, layerId, type Store } from '#cache'
import { type Bytes, type Ending, type OnEvent, reported, TsbuildError } from '#core'
import { containedFolder } from './contained-file.ts'
import type { ContextLocation, FolderSource, InArchive } from './context-location.ts'
import { chunksOf, collectDockerfile, readDownloaded } from './read-downloaded.ts'
import { timeOfFile } from './source-time.ts'

const BLOCK = 512

/** A context that was brought to this machine. Dispose of it when the build has ended. */
export interface FetchedContext extends AsyncDisposable {
  /** Must be read only. */
  readonly directory: string
  /** It is removed with the build, so digests of its files need not be kept. */
  readonly transient: boolean
  /** What came instead of an archive: a Dockerfile; the folder holds at most the same. */
  readonly dockerfile: Buffer | undefined
  /** When its source was made, in milliseconds; `undefined` where that is not known. */
  readonly createdAt: () => Promise<number | undefined>
}

/** What contexts are fetched with. */
export interface FetchContextDeps {
  readonly store: Store
  readonly fetcher: RemoteFetcher
  readonly onEvent: OnEvent
  readonly signal: AbortSignal | undefined
  /** `.git` belongs to the context, unless the address itself says something. */
  readonly keepGitDir: boolean
  /** Files of a commit have its time, unless the address itself says something. */
  readonly commitTimes: boolean
}

type RemoteContext = Exclude<ContextLocation, FolderSource>

/**
 * Brings a context to this machine: a commit or an archive once, standard input every time.
 * @throws {TsbuildError} CONTEXT_INVALID for a damaged archive or too long a Dockerfile, DOWNLOAD_FAILED,
 * NOT_FOUND, NO_SPACE, CANCELLED
 */
export async function fetchContext(
  context: RemoteContext,
  deps: FetchContextDeps,
): Promise<FetchedContext> {
  switch (context.kind) {
    case 'git':
      return await gitContext(context.source, deps)
    case 'http':
      return await inFolder(await httpContext(context.source, deps), context)
    case 'bytes': {
      const name = '[internal] load build context'
      const fetched = await reportContext(name, deps, () => bytesContext(context.bytes, deps))
      return await inFolder(fetched, context)
    }
  }
}

/** The context with a folder of it in its place; it is disposed of where there is no such folder. */
async function inFolder(fetched: FetchedContext, { folder }: InArchive): Promise<FetchedContext> {
  if (folder === undefined) return fetched
  try {
    return { ...fetched, directory: containedFolder(fetched.directory, folder) }
  } catch (cause) {
    await fetched[Symbol.asyncDispose]()
    throw cause
  }
}

/** Reports `perform` as the loading of the context, which ends as cached where nothing was fetched. */
function reportContext<T extends object>(
  name: string,
  { onEvent }: FetchContextDeps,
  perform: () => Promise<T & { readonly isCached?: boolean }>,
): Promise<T> {
  const id = 'context'
  const ending = ({ isCached }: { readonly isCached?: boolean }): Ending => ({
    hit: isCached === true ? 'remote' : undefined,
  })
  return reported({ id, name, part: 'fetch', ending }, onEvent, perform)
}

async function gitContext(source: GitSource, deps: FetchContextDeps): Promise<FetchedContext> {
  const { signal, keepGitDir, commitTimes } = deps
  const wanted = {
    ...(keepGitDir ? { keepGitDir } : {}),
    ...(commitTimes ? ({ mtime: 'commit' } as const) : {}),
    ...source,
  }
  const name = `[internal] load git source ${gitSourceName(source)}`
  const checkout = await reportContext(name, deps, () =>
    deps.fetcher.checkoutGit(wanted, { signal }),
  )
  return kept(checkout.directory, async () => checkout.committedMs)
}

async function httpContext(source: HttpSource, deps: FetchContextDeps): Promise<FetchedContext> {
  const { signal } = deps
  const name = `[internal] load remote build context ${httpSourceName(source)}`
  return reportContext(name, deps, async () => {
    const file = await deps.fetcher.fetchHttp(source, { signal })
    const path = join(file.directory, file.name)
    const { isCached } = file
    const createdAt = (): Promise<number | undefined> => timeOfFile(file)
    if (isArchive(readStart(path))) {
      const directory = await unpackedOnce(file, path, deps)
      return { ...kept(directory, createdAt), isCached }
    }
    const dockerfile = await readDownloaded(path)
    return { ...kept(file.directory, createdAt), dockerfile, isCached }
  })
}

/** The files of a downloaded archive, as a layer of the store. */
async function unpackedOnce(
  { key: file }: HttpFile,
  path: string,
  { store, signal }: FetchContextDeps,
): Promise<string> {
  const key: CacheKey = cacheKeyOf({ op: 'unpack', file })
  // The first letter is not a hex digit, so that it is never taken for a diffID.
  const id = layerId(`u${key.slice(1)}`)
  if (store.layers.get(id)?.directory === true) return store.layers.directory(id)
  await using _lease = await store.lease(key, { signal, what: 'unpack the build context' })
  if (store.layers.get(id)?.directory === true) return store.layers.directory(id)
  await using temporary = store.temporary()
  const directory = join(temporary.path, 'context')
  await unpack(chunksOf(path), directory, signal)
  await store.layers.commitDirectory(directory, { id })
  return store.layers.directory(id)
}

async function bytesContext(bytes: Bytes, deps: FetchContextDeps): Promise<FetchedContext> {
  const { start, all } = await peek(stoppable(bytes, deps.signal))
  const temporary = deps.store.temporary()
  try {
    const directory = join(temporary.path, 'context')
    const isPacked = isArchive(start)
    if (isPacked) await unpack(all, directory, deps.signal)
    else mkdirSync(directory)
    return {
      directory,
      transient: true,
      dockerfile: isPacked ? undefined : await collectDockerfile(all),
      createdAt: async () => undefined,
      [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
    }
  } catch (cause) {
    await temporary[Symbol.asyncDispose]()
    throw cause
  }
}

function kept(directory: string, createdAt: FetchedContext['createdAt']): FetchedContext {
  return {
    directory,
    transient: false,
    dockerfile: undefined,
    createdAt,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Owners do not count in a context, so they are dropped. */
async function unpack(
  bytes: Bytes,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  mkdirSync(directory, { mode: 0o755 })
  try {
    const tar = decompress(bytes, 'detect', { name: 'build context' })
    await extractArchive(tar, directory, { owners: 'drop', signal })
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'LAYER_INVALID') throw cause
    const hint = 'the archive is damaged, or not a tar of a kind that tsbuild reads'
    throw new TsbuildError(`unpack the build context: ${cause.message}`, {
      code: 'CONTEXT_INVALID',
      cause,
      hint,
    })
  }
}

/** By content, never by name: anything else is taken for a Dockerfile. */
function isArchive(start: Buffer): boolean {
  return detectCompression(start) !== 'none' || isTarHeader(start)
}

/** Ends with `signal`, even where the other end of a pipe never writes again. */
async function* stoppable(bytes: Bytes, signal: AbortSignal | undefined): Bytes {
  const iterator = bytes[Symbol.asyncIterator]()
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(new TsbuildError('build cancelled', { code: 'CANCELLED' }))
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
  })
  stopped.catch(() => undefined)
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped])
    if (next.done === true) return
    yield next.value
  }
}

interface Peeked {
  /** The first block, or less where there is less. */
  readonly start: Buffer
  /** Everything, with the start. */
  readonly all: Bytes
}

async function peek(bytes: Bytes): Promise<Peeked> {
  const iterator = bytes[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let size = 0
  while (size < BLOCK) {
    const next = await iterator.next()
    if (next.done === true) break
    first.push(next.value)
    size += next.value.length
  }
  async function* all(): Bytes {
    yield* first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield next.value
    }
  }
  return { start: Buffer.concat(first).subarray(0, BLOCK), all: all() }
}

function readStart(path: string): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const start = Buffer.alloc(Math.min(BLOCK, fstatSync(descriptor).size))
    readSync(descriptor, start)
    return start
  } finally {
    closeSync(descriptor)
  }
}
