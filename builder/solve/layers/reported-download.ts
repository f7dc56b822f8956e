import { type BlobSource, counting, type Descriptor } from '#core'
import type { PulledVertex, Reporter } from '../report/reporter.ts'
import type { Download } from './download.ts'

/** A blob, where it is, and for what it is fetched. */
export interface ReportedBlob {
  readonly blob: Descriptor
  readonly source: BlobSource
  readonly vertex: PulledVertex
}

/** Downloads of a blob that are reported. */
export function reportedDownload(
  { blob, source, vertex }: ReportedBlob,
  reporter: Reporter,
): Download {
  return (take) =>
    reporter.pull(vertex, blob, (onProgress) => {
      const open: BlobSource['open'] = async (descriptor, options) =>
        counting(await source.open(descriptor, options), onProgress)
      return take({ open })
    })
}
