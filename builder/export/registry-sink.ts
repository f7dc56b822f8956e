import type { Bytes, Compression, Descriptor, GraphSink } from '#core'
import {
  type PushLayer,
  type PushProgress,
  type Reference,
  type Repository,
  repositorySink,
} from '#registry-client'
import type { EarlyUploads } from './layers/early-uploads.ts'
import { type ImageLayer, layerKey } from './layers/image-layer.ts'
import { type LayerBlob, type LayerBlobs, sendLayer } from './layers/layer-blob.ts'

/** How images get into a repository. */
export interface RegistrySinkOptions extends LayerBlobs {
  /** Of layers that were made here. */
  readonly compression: Compression
  /** A repository of the same registry that has the whole image already. */
  readonly sibling?: string | undefined
  /** Layers that are sent before; `undefined` outside of a build that pushes. */
  readonly uploads?: Pick<EarlyUploads, 'settled'> | undefined
  /** Set last. */
  readonly tags: readonly string[]
  readonly onProgress: (progress: PushProgress) => void
}

/**
 * A repository as a sink: layers are packed while they are sent, unless it has one of the blobs that
 * they were packed to before, or can mount it. What a layer is packed to is remembered, and kept.
 */
export function registrySink(
  repository: Repository,
  options: RegistrySinkOptions,
): GraphSink<ImageLayer> {
  const sink = repositorySink(repository, options)
  return {
    ...sink,
    keyOf: layerKey,
    putLayer: async (layer, { signal }) => {
      await options.uploads?.settled(repository, layer)
      return await sendLayer(layer, options, async (blob) => {
        const mountFrom = options.sibling ?? homeOf(layer.origin, repository)
        const deps = { repository, mountFrom, signal }
        // A layer that was never packed starts at once, so that its failure is the one that is reported.
        const isUnknown = blob.descriptor === undefined && blob.packedBefore.length === 0
        const known = isUnknown ? undefined : await findBlob(blob, deps)
        const push = pushLayer(layer, { ...blob, descriptor: known }, deps)
        return await sink.putLayer(push, { signal })
      })
    },
  }
}

interface PushDeps {
  readonly repository: Repository
  /** Another repository of its registry that has the layer. */
  readonly mountFrom: string | undefined
  readonly signal: AbortSignal | undefined
}

function pushLayer(
  { diffId: id }: ImageLayer,
  { mediaType, descriptor, open: openBlob }: LayerBlob,
  { mountFrom, signal }: PushDeps,
): PushLayer {
  const open = (): Promise<Bytes> => openBlob({ signal })
  if (descriptor === undefined) return { kind: 'stream', id, mediaType, open }
  return { kind: 'blob', id, descriptor, open, mountFrom }
}

/** Another repository of the same registry that has a layer. */
function homeOf(
  origin: Pick<Reference, 'registry' | 'repository'> | undefined,
  { registry, name }: Repository,
): string | undefined {
  if (origin?.registry !== registry || origin.repository === name) return undefined
  return origin.repository
}

/**
 * The blob of a layer that came packed; else one of those that it was packed to before and that the
 * repository has, or takes over from another one.
 */
async function findBlob(
  { descriptor, packedBefore }: LayerBlob,
  { repository, mountFrom, signal }: PushDeps,
): Promise<Descriptor | undefined> {
  if (descriptor !== undefined) return descriptor
  const from = mountFrom === undefined ? [] : [mountFrom]
  for (const candidate of packedBefore) {
    if ((await repository.obtain(candidate, { from, signal })) !== undefined) return candidate
  }
  return undefined
}
