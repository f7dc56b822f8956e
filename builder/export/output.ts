import type { Compression, Descriptor } from '#core'
import type { Exported, Exporter, OutputRequest } from './exporter.ts'
import * as exporters from './exporters.ts'

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
export function sendOutput(output: Output, exported: Exported): Promise<Descriptor | undefined> {
  return exporterOf(output).send(output, exported)
}

function exporterOf(output: Output): Exporter<Output> {
  return EXPORTERS[output.type]
}
