import type { Writable } from 'node:stream'
import { type Descriptor, TsbuildError, writeGraph } from '#core'
import { formatReference } from '#registry-client'
import { type ArchiveWriter, directoryWriter, tarWriter } from './archive/archive-writer.ts'
import { checkFile, checkFolder, pathOf } from './archive/check-destination.ts'
import {
  checkPacked,
  type Exported,
  type Exporter,
  earlyCompression,
  type ImageOutput,
  type PackedOutput,
  wantedCompression,
} from './exporter.ts'
import { formedImagesOf, graphOf } from './graph.ts'
import { layoutSink } from './layout-sink.ts'
import { formedGraph, formedRoot } from './manifests/formed-graph.ts'
import { checkForm } from './manifests/image-form.ts'

/** An OCI layout; `docker` adds what `docker load` reads. */
interface ArchiveOutput extends ImageOutput, PackedOutput {
  readonly type: 'oci' | 'docker'
  /** A file, a directory with `tar: false`, or a stream, which is not closed. */
  readonly dest: string | Writable
  /** Default: true. */
  readonly tar?: boolean
}

/** Writes images as one tar, or into a folder. */
export const archiveExporter: Exporter<ArchiveOutput> = {
  takes: 'images',
  compression: earlyCompression,
  check: (output, request) => {
    checkForm(output, request)
    checkPacked(output)
    if (output.type !== 'docker' || !request.isIndex) return
    throw new TsbuildError('docker exporter does not currently support exporting manifest lists', {
      code: 'USAGE',
      hint: 'build one platform at a time, or write --output type=oci',
    })
  },
  checkDestination: ({ dest, tar }) => (tar === false ? checkFolder(dest) : checkFile(dest)),
  send: (output, exported) =>
    exported.report(
      `exporting to ${output.type} image format`,
      () => write(output, exported),
      exported.tags.map(formatReference),
    ),
}

async function write(output: ArchiveOutput, exported: Exported): Promise<Descriptor> {
  const { images, tags, store, early, signal } = exported
  await using writer = await openWriter(output, signal)
  await using temporary = store.temporary()
  const formed = formedImagesOf(images)
  const sink = layoutSink(writer, {
    store,
    early,
    names: tags.map(formatReference),
    compression: wantedCompression(output),
    level: output.compressionLevel,
    format: output.type,
    platform: images.isIndex ? undefined : images.images[0]?.platform,
    describe: (root) => formedRoot(root, formed, output),
    temporary,
  })
  await writer.document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  const { root } = await writeGraph(formedGraph(graphOf(images), formed, output), sink, { signal })
  await writer.finish()
  return formedRoot(root, formed, output)
}

async function openWriter(
  { dest, tar }: ArchiveOutput,
  signal: AbortSignal | undefined,
): Promise<ArchiveWriter> {
  return tar === false ? directoryWriter(pathOf(dest)) : await tarWriter(dest, signal)
}
