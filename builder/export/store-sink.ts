import { markElsewhere, type Store } from '#cache'
import { copyBlob, type Descriptor, type EncodedDocument, type GraphSink } from '#core'
import { type ImageLayer, layerKey } from './layers/image-layer.ts'
import { layerBlob } from './layers/layer-blob.ts'

/** How images get into the store. */
export interface StoreSinkOptions {
  /** Canonical references of the image or index; without one it is known by its digest only. */
  readonly names: (root: Descriptor) => readonly string[]
  /** A layer that the store does not have, and one of these has, stays there. */
  readonly registries: ReadonlySet<string>
  /** An image without a name stays, as one that loses its last name by this one. */
  readonly unnamed?: 'kept' | undefined
}

/**
 * The local store as a sink: layers that were made here stay plain tars, others stay as they came.
 */
export function storeSink(
  store: Store,
  { names, registries, unnamed }: StoreSinkOptions,
): GraphSink<ImageLayer> {
  const put = ({ mediaType, bytes }: EncodedDocument): Promise<Descriptor> =>
    store.blobs.putBytes(mediaType, bytes)
  return {
    // Most layers are there already.
    concurrency: Number.POSITIVE_INFINITY,
    keyOf: layerKey,
    putLayer: async (layer, { signal }) => {
      const { descriptor, open } = layerBlob(layer, 'none', { store, early: undefined })
      if (descriptor === undefined) throw new Error('a layer as it is has a descriptor')
      if (await store.blobs.has(descriptor)) return descriptor
      const { origin } = layer
      if (origin !== undefined && registries.has(origin.registry)) {
        return markElsewhere(descriptor, origin)
      }
      const from = { open: () => open({ signal }) }
      await copyBlob(descriptor, { from, to: store.blobs }, { signal })
      return descriptor
    },
    putConfig: put,
    putManifest: put,
    name: async ({ root }) => {
      const given = names(root)
      for (const name of given) await store.images.set(name, root, { replaced: unnamed })
      if (given.length === 0 && unnamed === 'kept') await store.images.keep(root)
    },
  }
}
