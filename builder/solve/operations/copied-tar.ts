import { type Assembly, newBytes, type PreviousFiles, type WrittenLayer } from '#builder/layer'
import type { LayerId, TarFacts, TemporaryDirectory } from '#cache'
import { MEDIA_TYPES, TsbuildError, throwIfCancelled, uncompressedDigest } from '#core'
import type { PreviousCopy } from '../layers/previous-copy.ts'
import { readAlong } from '../work/read-along.ts'
import type { RecopiedFiles } from '../work/tasks/recopy-files.ts'
import { adoptContents, adoptTar, type CopyDeps } from './copied-layer.ts'

/** Bytes of an earlier tar from which on it is worth while not to write it again. */
const LEAST_BYTES = 8 << 20

/** A tar with more new bytes, of all, is written as a whole. */
const MOST_NEW = 0.5

/** What a tar is made of, and where its files are written. */
export interface TarWork {
  readonly previous: PreviousCopy
  readonly place: (name: string) => string
  /** It is one file, of which is noted what is where. */
  readonly isWhole: boolean
  /** It may be kept in parts. */
  readonly isParted: boolean
}

/** The layer that a tar is made of, where it has another form, and the files that are removed then. */
interface TarOwner {
  readonly layer: LayerId | undefined
  readonly temporary: TemporaryDirectory
}

/** Whether a tar may be kept in parts of an earlier one. Where stacks are made of tars, each is one file. */
export async function mayBeParted(
  { layer: { size = 0 } }: PreviousCopy,
  { lowerForm }: Pick<CopyDeps, 'lowerForm'>,
): Promise<boolean> {
  return size >= LEAST_BYTES && (await lowerForm()) === 'directory'
}

/** Whether a tar has so much of an earlier one that it is worth while to keep it in parts. */
export function isMostlyEarlier({ recipe }: Pick<RecopiedFiles, 'recipe'>): boolean {
  if (recipe === undefined) return false
  const size = recipe.parts.reduce((sum, part) => sum + part.size, 0)
  return newBytes(recipe) < MOST_NEW * size
}

/** Puts the tar of a copy together. @returns `undefined` when the earlier tar was damaged */
export async function makeTar(
  copied: RecopiedFiles,
  work: TarWork,
  { layer, temporary }: TarOwner,
  deps: CopyDeps,
): Promise<TarFacts | undefined> {
  await using _ = temporary
  const isInParts = work.isParted && isMostlyEarlier(copied)
  const facts = isInParts ? await makeParts(copied, work, deps) : await makeFile(copied, work, deps)
  if (layer !== undefined && facts !== undefined) deps.store.layers.setTar(layer, facts)
  return facts
}

/** Writes what the earlier tar has not, and where the rest is in it. */
async function makeParts(
  { recipe, presumed }: RecopiedFiles,
  { previous, place }: TarWork,
  deps: CopyDeps,
): Promise<TarFacts | undefined> {
  const { store, pool, signal } = deps
  const pieces = place('pieces')
  const earlier = uncompressedDigest(previous.layer.diffId)
  const task = { ...sourcesOf(recipe, previous), pieces, earlier }
  const written = await assembled(previous, deps, (reader) =>
    pool.run('assembleParts', { ...task, reader }, signal),
  )
  if (written?.diffId === undefined || written.size === undefined) return undefined
  const { diffId, size } = written
  store.blobs.adoptParts(pieces, uncompressedDigest(diffId))
  return { diffId, size, presumed }
}

async function makeFile(
  { recipe, warnings, presumed, state }: RecopiedFiles,
  { previous, place, isWhole }: TarWork,
  deps: CopyDeps,
): Promise<TarFacts | undefined> {
  const { pool, signal } = deps
  const [contents, noted] = isWhole ? [place('contents'), place('state')] : []
  const files = { pieces: place('pieces'), tar: place('tar'), contents }
  const task = { ...sourcesOf(recipe, previous), ...files }
  const written = await assembled(previous, deps, (reader) =>
    pool.run('assembleTar', { ...task, reader }, signal),
  )
  if (written === undefined) return undefined
  const { diffId, size, hasContents = false } = written
  const facts = await adoptTar({ diffId, size, warnings, presumed }, files, deps)
  adoptContents({ diffId, hasContents, state }, { contents, state: noted }, deps)
  return facts
}

function sourcesOf(
  recipe: RecopiedFiles['recipe'],
  { contents, tar }: PreviousCopy,
): Pick<Assembly, 'recipe'> & { readonly previous: PreviousFiles } {
  if (recipe === undefined || tar === undefined) throw new Error('a tar has a recipe')
  return { recipe, previous: { contents, tar } }
}

/** Another thread takes the digest. @returns `undefined` when the earlier tar was damaged */
async function assembled(
  previous: PreviousCopy,
  deps: CopyDeps,
  write: (reader: Assembly['reader']) => Promise<WrittenLayer>,
): Promise<WrittenLayer | undefined> {
  const { pool, spans, signal } = deps
  try {
    const { written, read } = await spans.measure('packing', () =>
      readAlong({ write, read: (tar) => pool.runBeside('digestTar', { tar }, signal) }, pool),
    )
    return { ...written, ...read }
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'DIGEST_MISMATCH') throw cause
    await setAside(previous, cause, deps)
    return undefined
  }
}

/** A tar of the store was damaged: reading it as a whole takes it out of the store. */
async function setAside(
  { layer: { diffId, size = 0 } }: PreviousCopy,
  cause: TsbuildError,
  { store, reporter, signal }: CopyDeps,
): Promise<void> {
  store.contents.remove(diffId)
  reporter.cacheFailure(cause)
  const blob = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  try {
    for await (const bytes of await store.blobs.open(blob, { signal })) void bytes
  } catch (failure) {
    throwIfCancelled(signal, 'read a damaged tar')
    if (!(failure instanceof TsbuildError)) throw failure
  }
}
