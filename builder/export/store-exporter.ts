import { writeGraph } from '#core'
import { formatReference } from '#registry-client'
import type { Exporter, ImageTimesOption } from './exporter.ts'
import { graphOf } from './graph.ts'
import { storeSink } from './store-sink.ts'

/** The local store, under the build's tags. */
interface StoreOutput extends ImageTimesOption {
  readonly type: 'store'
}

/** Puts images into the local store. */
export const storeExporter: Exporter<StoreOutput> = {
  takes: 'images',
  compression: () => 'none',
  check: () => undefined,
  checkDestination: () => undefined,
  send: (_output, { images, tags, registries, store, report, spans, signal }) =>
    report('exporting to image', async () => {
      const sink = storeSink(store, { names: tags.map(formatReference), registries })
      // A name is given once all that it leads to is on the disk.
      const name: typeof sink.name = (graph, options) =>
        spans.measure('sync', () => sink.name(graph, options))
      return (await writeGraph(graphOf(images), { ...sink, name }, { signal })).root
    }),
}
