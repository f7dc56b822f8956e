import type { Store } from '#cache'
import type { Bytes, Compression, Descriptor, GraphSink } from '#core'
import {
  type PushLayer,
  type PushProgress,
  type Reference,
  type Repository,
  repositorySink,
} from '#registry-client'
import { type ImageLayer, layerKey } from './image.ts'
import { layerBlob } from './layer-blob.ts'

/** How images get into a repository. */
export interface RegistrySinkOptions {
  readonly store: Store
  /** Of layers that were made here. */
  readonly compression: Compression
  /** A repository of the same registry that has the whole image already. */
  readonly sibling?: string | undefined
  /** Set last. */
  readonly tags: readonly string[]
  readonly onProgress: (progress: PushProgress) => void
}

/**
 * A repository as a sink: layers are packed while they are sent, unless it has one of the blobs that
 * they were packed to before, or can mount it. What a layer is packed to is remembered.
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
      const push = await pushLayer(layer, { ...options, repository, signal })
      const descriptor = await sink.putLayer(push, { signal })
      if (push.kind === 'stream') options.store.layers.addCompressed(layer.diffId, descriptor)
      return descriptor
    },
  }
}

interface PushDeps extends RegistrySinkOptions {
  readonly repository: Repository
  readonly signal: AbortSignal | undefined
}

async function pushLayer(layer: ImageLayer, deps: PushDeps): Promise<PushLayer> {
  const { store, compression, sibling, signal, repository } = deps
  const { diffId: id, origin } = layer
  const blob = layerBlob(layer, compression, store)
  const { mediaType } = blob
  const open = (): Promise<Bytes> => blob.open({ signal })
  const descriptor = blob.descriptor ?? (await findPacked(blob.packedBefore, deps))
  if (descriptor === undefined) return { kind: 'stream', id, mediaType, open }
  const mountFrom = sibling ?? homeOf(origin, repository)
  return { kind: 'blob', id, descriptor, open, mountFrom }
}

/** Another repository of the same registry that a layer was pulled from. */
function homeOf(
  origin: Pick<Reference, 'registry' | 'repository'> | undefined,
  { registry, name }: Repository,
): string | undefined {
  if (origin?.registry !== registry || origin.repository === name) return undefined
  return origin.repository
}

/** One of the blobs that the repository has, or takes over from its sibling. */
async function findPacked(
  candidates: readonly Descriptor[],
  { repository, sibling, signal }: PushDeps,
): Promise<Descriptor | undefined> {
  for (const candidate of candidates) {
    if (await repository.has(candidate, { signal })) return candidate
    if (sibling === undefined) continue
    if (await repository.mount(candidate, sibling, { signal })) return candidate
  }
  return undefined
}
