import { type Descriptor, writeGraph } from '#core'
import { formatReference, parseReference, type Reference } from '#registry-client'
import type { Exporter, ImageOutput } from './exporter.ts'
import { formedImagesOf, graphOf } from './graph.ts'
import { formedGraph, formedRoot } from './manifests/formed-graph.ts'
import { checkForm } from './manifests/image-form.ts'
import { storeSink } from './store-sink.ts'

/** The local store, under the build's tags. */
interface StoreOutput extends ImageOutput {
  readonly type: 'store'
  /** Names with the digest, too: `NAME@sha256:…`. Default: false. */
  readonly canonicalNames?: boolean
  /** Before `@` and the digest, a name for an image that has none, or for each. */
  readonly danglingName?: { readonly prefix: string; readonly onlyWithoutName: boolean }
  /** An image without a name stays, as one that loses its last name by this one. Default: they do not. */
  readonly unnamed?: 'kept' | undefined
}

/** Puts images into the local store. */
export const storeExporter: Exporter<StoreOutput> = {
  takes: 'images',
  compression: () => 'none',
  check: checkForm,
  checkDestination: () => undefined,
  send: (output, { images, tags, registries, store, report, spans, signal }) => {
    const put = async (): Promise<Descriptor> => {
      const names = (root: Descriptor) => namesOf(root, tags, output)
      const sink = storeSink(store, { names, registries, unnamed: output.unnamed })
      // A name is given once all that it leads to is on the disk.
      const name: typeof sink.name = (graph, options) =>
        spans.measure('sync', () => sink.name(graph, options))
      const formed = formedImagesOf(images)
      const draft = formedGraph(graphOf(images), formed, output)
      const { root } = await writeGraph(draft, { ...sink, name }, { signal })
      return formedRoot(root, formed, output)
    }
    return report('exporting to image', put, tags.map(formatReference))
  },
}

function namesOf(
  { digest }: Descriptor,
  tags: readonly Reference[],
  { canonicalNames, danglingName }: StoreOutput,
): readonly string[] {
  const canonical = canonicalNames === true ? tags : []
  const isDangling =
    danglingName !== undefined && !(danglingName.onlyWithoutName && tags.length > 0)
  return [
    ...tags.map(formatReference),
    ...canonical.map(({ registry, repository }) => `${registry}/${repository}@${digest}`),
    ...(isDangling ? [formatReference(parseReference(`${danglingName.prefix}@${digest}`))] : []),
  ]
}
