import {
  CAPABILITY,
  decompress,
  isWhiteoutDevice,
  listNotedTar,
  listTar,
  stackTree,
  type TarFile,
  treeChanges,
} from '#builder/layer'
import { digestFile } from '#builder/tree'
import { hasFolder, type LayerId, type LayerRecord, type Store } from '#cache'
import {
  type Bytes,
  compressionOf,
  type DiffId,
  type Digest,
  type EntryChange,
  MEDIA_TYPES,
  type Name,
  type Tree,
  uncompressedDigest,
} from '#core'

/** One file of a layer, without its time. */
export interface ListedFile extends Omit<TarFile, 'digest'> {
  /** Equal for names of one file on the disk, whichever layers have them; absent in a tar. */
  readonly inode?: string
  /** Of the content of a regular file; it may be read only now. */
  digest(): Digest | undefined
}

/** The files of a layer by path; they can be read until it is disposed of. */
export interface LayerListing extends Disposable {
  readonly files: ReadonlyMap<Name, ListedFile>
}

/** What layers are read from. */
export type LayerStore = Pick<Store, 'blobs' | 'contents' | 'layers'>

/** How a layer is read: as its tar, plain or packed, or as its folder. */
type Form = 'plain' | 'folder' | 'packed'

/**
 * Opens two layers to compare them, in the same form where that is possible: their plain tars, which are
 * read from the beginning to the end, else their folders, of which only files of equal sizes are read.
 * @returns `undefined` for one that the store does not have any more
 */
export async function openListings(
  ids: readonly [LayerId, LayerId],
  store: LayerStore,
): Promise<readonly [LayerListing | undefined, LayerListing | undefined]> {
  const [first, second] = ids.map((id) => store.layers.get(id))
  const forms = (['plain', 'folder', 'packed'] as const).toSorted((a, b) => {
    const both = (form: Form): number => Number(has(first, form, store) && has(second, form, store))
    return both(b) - both(a)
  })
  const listings = [first, second].map(async (layer) => {
    const form = forms.find((one) => has(layer, one, store))
    return layer && form && (await open(layer, form, store))
  })
  const [from, to] = await Promise.all(listings)
  return [from, to]
}

function has(layer: LayerRecord | undefined, form: Form, store: LayerStore): boolean {
  if (layer === undefined) return false
  if (form === 'folder') return hasFolder(layer)
  return layer.diffId !== undefined && tarOf(layer.diffId, form, store) !== undefined
}

async function open(layer: LayerRecord, form: Form, store: LayerStore): Promise<LayerListing> {
  if (form === 'folder') return listFolders(store.layers.folders(layer))
  const tar = layer.diffId && tarOf(layer.diffId, form, store)
  if (tar === undefined) throw new Error('the form of a layer was chosen of those that it has')
  const listed = listNoted(layer, form, store) ?? (await listTar(await tar()))
  const files = [...listed].map(([path, file]) => {
    return [path, { ...file, digest: () => file.digest }] as const
  })
  return { files: new Map(files), [Symbol.dispose]: () => undefined }
}

/** What is in the plain tar of a layer, where that was noted when it was written. */
function listNoted(
  { diffId }: LayerRecord,
  form: Form,
  { blobs, contents }: LayerStore,
): ReadonlyMap<Name, TarFile> | undefined {
  const noted = diffId && form === 'plain' ? contents.find(diffId) : undefined
  const tar = diffId && noted && blobs.findFile(uncompressedDigest(diffId))
  if (tar === undefined || noted === undefined) return undefined
  return listNotedTar(tar, noted)
}

/** Opens the plain tar of a layer from one of its blobs. */
function tarOf(
  diffId: DiffId,
  form: Form,
  { blobs, layers }: LayerStore,
): (() => Promise<Bytes>) | undefined {
  const digest = uncompressedDigest(diffId)
  if (form === 'plain') {
    const size = blobs.stat(digest)
    if (size === undefined) return undefined
    return () => blobs.open({ mediaType: MEDIA_TYPES.ociLayer, digest, size })
  }
  const packed = layers.compressed(diffId).find((one) => blobs.stat(one.digest) === one.size)
  const compression = packed && compressionOf(packed.mediaType)
  if (packed === undefined || compression === undefined) return undefined
  return async () => decompress(await blobs.open(packed), compression)
}

/** @param folders topmost first */
function listFolders(folders: readonly string[]): LayerListing {
  const tree = stackTree(folders)
  const files = new Map<Name, ListedFile>()
  for (const change of treeChanges(tree)) {
    const file = change.kind === 'entry' ? toFile(change, tree) : undefined
    if (file !== undefined) files.set(change.path, file)
  }
  return { files, [Symbol.dispose]: () => tree.close() }
}

/** `undefined` for the mark of a deletion. */
function toFile({ path, stat, target, xattrs }: EntryChange, tree: Tree): ListedFile | undefined {
  const { type, mode, uid, gid, size, major, minor, identity } = stat
  if (type === 'socket' || isWhiteoutDevice(stat)) return undefined
  let digest: Digest | undefined
  return {
    ...{ type, mode, uid, gid, size, major, minor, target },
    capability: xattrs?.get(CAPABILITY),
    ...(identity === undefined ? {} : { inode: `${identity.dev}:${identity.ino}` }),
    digest: () => {
      if (type === 'file') digest ??= digestFile(() => tree.openFile(path))
      return digest
    },
  }
}
