import { join } from 'node:path'
import { storeSource } from '#builder/plan'
import type { Store } from '#cache'
import {
  type Descriptor,
  type Digest,
  digestOf,
  type EncodedDocument,
  type GraphDraft,
  type GraphSink,
  type HistoryEntry,
  type ImageConfig,
  MEDIA_TYPES,
  type Platform,
  serializeImageConfig,
  serializeManifest,
  type TransferOptions,
  TsbuildError,
  toOciMediaType,
  uncompressedDigest,
  writeGraph,
} from '#core'
import { now, withTagTime } from '#engine/model'
import { resolveImage } from '#registry-client'
import type { ContainerFiles } from '../container-files.ts'
import type { ContainerLayers } from '../layers/container-layers.ts'
import type { NewLayer } from '../layers/write-layer.ts'
import { type ConfigSources, committedConfig } from './commit-config.ts'

/** A container that becomes an image. */
export interface CommitRequest extends ConfigSources {
  /** The image that it was made of: digest of its manifest. */
  readonly image: Digest
  readonly platform: Platform
  readonly layers: ContainerLayers
  readonly author?: string | undefined
  readonly comment?: string | undefined
  /** Canonical names of the new image; without one it is kept all the same. */
  readonly names: readonly string[]
}

/** An image that was committed. */
export interface CommittedImage {
  /** Digest of its config. */
  readonly id: Digest
  readonly manifest: Descriptor
}

/** What committing needs. */
export interface CommitDeps extends TransferOptions {
  readonly store: Store
  readonly files: Pick<ContainerFiles, 'writeLayer'>
}

/**
 * Makes an image of a container: its image, and what it has changed as one layer more. The blobs are on the disk before
 * the image has a name.
 * @throws {TsbuildError} USAGE and DOCKERFILE_INVALID for changes of the config, NOT_FOUND without the container's image,
 *   LAYER_INVALID, IO_FAILED when files were changed meanwhile, NO_SPACE, CANCELLED
 */
export async function commitContainer(
  request: CommitRequest,
  deps: CommitDeps,
): Promise<CommittedImage> {
  const { store, signal } = deps
  const config = committedConfig(request)
  const { manifest, config: base } = await resolveImage(storeSource(store), request.image, {
    platform: request.platform,
  })
  const layer = await storeLayer(request.layers, deps)
  const created = now()
  const image: ImageConfig = {
    platform: base.platform,
    created,
    ...(request.author ? { author: request.author } : {}),
    config,
    diffIds: layer === undefined ? base.diffIds : [...base.diffIds, layer.diffId],
    history: [...base.history, historyEntry(request, { created, isEmpty: layer === undefined })],
  }
  const configBytes = serializeImageConfig(image)
  const layers = [...manifest.layers.map(asOciLayer), ...(layer ? [descriptorOf(layer)] : [])]
  const sink = imageSink(store, { names: request.names, created })
  const { root } = await writeGraph(draftOf(configBytes, layers), sink, { signal })
  return { id: digestOf(configBytes), manifest: root }
}

/** As docker writes it: what the container ran stands for the instruction. */
function historyEntry(
  { config: { Cmd = [] }, author, comment }: CommitRequest,
  { created, isEmpty }: { readonly created: string; readonly isEmpty: boolean },
): HistoryEntry {
  return {
    created,
    created_by: Cmd.join(' '),
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
    ...(isEmpty ? { empty_layer: true } : {}),
  }
}

/** How often a container that is not paused is read anew, where a file changed while it was read. */
const ATTEMPTS = 3

/** `undefined` where the container has changed nothing. */
async function storeLayer(
  layers: ContainerLayers,
  { store, files, signal }: CommitDeps,
): Promise<NewLayer | undefined> {
  await using folder = store.temporary()
  for (let attempt = 1; ; attempt++) {
    const tar = join(folder.path, `layer-${attempt}.tar`)
    try {
      const layer = await files.writeLayer({ layers, tar }, { signal })
      if (layer.isEmpty) return undefined
      await store.blobs.adopt(tar, uncompressedDigest(layer.diffId), layer.size)
      store.layers.register(layer)
      return layer
    } catch (cause) {
      if (attempt === ATTEMPTS || !isChangedMeanwhile(cause)) throw cause
    }
  }
}

/** A failed system call has a cause. */
function isChangedMeanwhile(failure: unknown): boolean {
  return (
    failure instanceof TsbuildError && failure.code === 'IO_FAILED' && failure.cause === undefined
  )
}

function asOciLayer(layer: Descriptor): Descriptor {
  return { ...layer, mediaType: toOciMediaType(layer.mediaType) }
}

function descriptorOf({ diffId, size }: NewLayer): Descriptor {
  return { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
}

function draftOf(configBytes: Uint8Array, layers: readonly Descriptor[]): GraphDraft<Descriptor> {
  const config: EncodedDocument = { mediaType: MEDIA_TYPES.ociConfig, bytes: configBytes }
  const mediaType = MEDIA_TYPES.ociManifest
  const assemble = (written: Descriptor): EncodedDocument => ({
    mediaType,
    bytes: serializeManifest({ mediaType, config: written, layers }),
  })
  return { manifests: [{ config, layers, assemble }], index: undefined }
}

/** The store; all layers are there. */
function imageSink(
  store: Store,
  { names, created }: { readonly names: readonly string[]; readonly created: string },
): GraphSink<Descriptor> {
  const put = ({ mediaType, bytes }: EncodedDocument): Promise<Descriptor> =>
    store.blobs.putBytes(mediaType, bytes)
  const createdAt = new Date(created)
  return {
    concurrency: 1,
    keyOf: ({ digest }) => digest,
    putLayer: (layer) => Promise.resolve(layer),
    putConfig: put,
    putManifest: put,
    name: async ({ root }) => {
      if (names.length === 0) await store.images.keep(root, { createdAt })
      const tagged = withTagTime(root)
      for (const name of names) {
        await store.images.set(name, tagged, { createdAt, replaced: 'kept' })
      }
    },
  }
}
