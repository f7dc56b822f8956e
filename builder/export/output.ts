import type { Compression, Descriptor } from '#core'
import { type Exported, type Exporter, type OutputRequest, wantedCompression } from './exporter.ts'
import * as exporters from './exporters.ts'
import type { ImageSet } from './image.ts'

type Exporters = typeof exporters

const EXPORTERS: Exporters = { ...exporters }

/** Where a result goes: an output of any type that has an exporter. */
export type Output = Parameters<Exporters[keyof Exporters]['send']>[0]

/** What `output` takes of a build. */
export function takenBy(output: Output): 'images' | 'files' {
  return exporterOf(output).takes
}

/** See `Exporter.compression`. */
export function compressionFor(output: Output): Compression {
  return exporterOf(output).compression(output)
}

/** See `Exporter.check`. */
export function checkOutput(output: Output, request: OutputRequest): void {
  exporterOf(output).check(output, request)
}

/** See `Exporter.checkDestination`. */
export function checkDestination(output: Output, request: OutputRequest): void {
  exporterOf(output).checkDestination(output, request)
}

/** See `Exporter.send`. */
export async function sendOutput(
  output: Output,
  exported: Exported,
): Promise<Descriptor | undefined> {
  const images = await imagesFor(output, exported)
  return await exporterOf(output).send(output, { ...exported, images })
}

/** With layers from elsewhere that can be packed as those made here, where that is asked for. */
async function imagesFor(output: Output, { images, store, signal }: Exported): Promise<ImageSet> {
  if (!('forceCompression' in output) || output.forceCompression !== true) return images
  const { plainLayers } = await import('./layers/plain-layers.ts')
  const compression = wantedCompression(output)
  const unpacked = images.images.map(async (image) => {
    return { ...image, layers: await plainLayers(image.layers, compression, { store, signal }) }
  })
  return { ...images, images: await Promise.all(unpacked) }
}

function exporterOf(output: Output): Exporter<Output> {
  return EXPORTERS[output.type]
}
