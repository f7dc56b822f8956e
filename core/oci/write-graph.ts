import { Buffer } from 'node:buffer'
import { throwIfCancelled } from '../errors.ts'
import { together } from '../together.ts'
import type { TransferOptions } from './content.ts'
import type { Descriptor } from './descriptor.ts'
import { digestOf } from './digest.ts'

/** A config, a manifest or an index as it is stored: its digest is that of these bytes. */
export interface EncodedDocument {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** What an artifact has in place of a config. Spec: image-spec v1.1 manifest.md#guidance-for-an-empty-descriptor */
export const EMPTY_DOCUMENT: EncodedDocument = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  bytes: Buffer.from('{}'),
}

/** A manifest that is to be written. `L` is what a sink makes the blob of a layer of. */
export interface ManifestDraft<L> {
  readonly config: EncodedDocument
  /** Bottom layer first. */
  readonly layers: readonly L[]
  /** Makes the manifest of the descriptors of its parts; layers in the order given. */
  readonly assemble: (config: Descriptor, layers: readonly Descriptor[]) => EncodedDocument
}

/** The manifests that are to be written, at least one, and the index that lists them. */
export interface GraphDraft<L> {
  readonly manifests: readonly ManifestDraft<L>[]
  /** Makes drafts of what is said about the manifests, by then written; an index lists them after those. */
  readonly about?: (manifests: readonly WrittenManifest[]) => readonly ManifestDraft<L>[]
  /** Makes the index of the manifests' descriptors; `undefined`: the first manifest is the root. */
  readonly index: ((manifests: readonly Descriptor[]) => EncodedDocument) | undefined
}

/**
 * Where a graph goes: a store, a repository of a registry, an archive, a folder. It decides in which
 * form it keeps a layer. What it has already it need not take again.
 */
export interface GraphSink<L> {
  /** How many blobs are written at a time. */
  readonly concurrency: number
  /** Equal for layers that are one blob here: it is written once. */
  keyOf(layer: L): unknown
  putLayer(layer: L, options: TransferOptions): Promise<Descriptor>
  putConfig(config: EncodedDocument, options: TransferOptions): Promise<Descriptor>
  /** Stores a manifest or an index under its digest. What it refers to is there. */
  putManifest(manifest: EncodedDocument, options: TransferOptions): Promise<Descriptor>
  /** Makes the graph known by its names. Everything else is there. */
  name(graph: WrittenGraph, options: TransferOptions): Promise<void>
}

/** A manifest in a sink, with what it is made of. */
export interface WrittenManifest {
  readonly descriptor: Descriptor
  readonly document: EncodedDocument
  readonly config: Descriptor
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[]
}

/** A graph in a sink. */
export interface WrittenGraph {
  /** The index, or the only manifest. */
  readonly root: Descriptor
  readonly document: EncodedDocument
  /** In the order of the draft. */
  readonly manifests: readonly [WrittenManifest, ...WrittenManifest[]]
}

/**
 * Writes a graph, children before parents and names last: blobs, manifests, index, names. So nothing
 * in the sink ever refers to what is not there, whatever fails. The first failure stops the transfers
 * beside it, and none is under way when this returns.
 */
export async function writeGraph<L>(
  draft: GraphDraft<L>,
  sink: GraphSink<L>,
  { signal }: TransferOptions = {},
): Promise<WrittenGraph> {
  const written = await writeManifests(draft.manifests, sink, signal)
  const [first, ...others] = written
  if (first === undefined) throw new Error('a graph has at least one manifest')
  const about = await writeManifests(draft.about?.(written) ?? [], sink, signal)
  throwIfCancelled(signal, 'write the index')
  const index = draft.index?.([...written, ...about].map(({ descriptor }) => descriptor))
  const graph: WrittenGraph = {
    root: index === undefined ? first.descriptor : await sink.putManifest(index, { signal }),
    document: index ?? first.document,
    manifests: [first, ...others],
  }
  throwIfCancelled(signal, 'name the image')
  await sink.name(graph, { signal })
  return graph
}

async function writeManifests<L>(
  manifests: readonly ManifestDraft<L>[],
  sink: GraphSink<L>,
  signal: AbortSignal | undefined,
): Promise<readonly WrittenManifest[]> {
  const blobs = await writeBlobs(manifests, sink, signal)
  const written: WrittenManifest[] = []
  for (const manifest of manifests) {
    throwIfCancelled(signal, 'write the manifest')
    const { config, layers } = blobs.of(manifest)
    const document = manifest.assemble(config, layers)
    const descriptor = await sink.putManifest(document, { signal })
    written.push({ descriptor, document, config, layers })
  }
  return written
}

/** Where the parts of manifests are found once they are written. */
interface WrittenBlobs<L> {
  of(manifest: ManifestDraft<L>): Pick<WrittenManifest, 'config' | 'layers'>
}

/** Layers of all manifests, each once, then their configs; as many at a time as the sink takes. */
async function writeBlobs<L>(
  manifests: readonly ManifestDraft<L>[],
  sink: GraphSink<L>,
  signal: AbortSignal | undefined,
): Promise<WrittenBlobs<L>> {
  const layers = new Map(
    manifests.flatMap((one) => one.layers.map((layer) => [sink.keyOf(layer), layer] as const)),
  )
  type Put = (stop: AbortSignal) => Promise<Descriptor>
  const puts: readonly Put[] = [
    ...[...layers.values()].map(
      (layer): Put =>
        (stop) =>
          sink.putLayer(layer, { signal: stop }),
    ),
    ...manifests.map(
      ({ config }): Put =>
        (stop) =>
          sink.putConfig(config, { signal: stop }),
    ),
  ]
  const written = await together(puts, signal, { atOnce: sink.concurrency })
  const byKey = new Map([...layers.keys()].map((key, index) => [key, written[index]]))
  const configs = new Map(manifests.map((one, index) => [one, written[layers.size + index]]))
  return {
    of: (manifest) => ({
      config: known(configs.get(manifest)),
      layers: manifest.layers.map((layer) => known(byKey.get(sink.keyOf(layer)))),
    }),
  }
}

function known(descriptor: Descriptor | undefined): Descriptor {
  if (descriptor === undefined) throw new Error('every blob of a graph is written')
  return descriptor
}

/** The descriptor under which a document is stored. */
export function describeDocument({ mediaType, bytes }: EncodedDocument): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
