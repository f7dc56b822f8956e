import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import tar from 'tar-stream'
import type { ImageDocument } from '../../peers/index.ts'
import { type LayerEntry, readLayer } from './merged-tree.ts'

/** An image as it lies in an archive or a layout, read by code that shares nothing with a builder. */
export interface BuiltImage {
  readonly config: ImageDocument
  /** Lowest first. */
  readonly layers: readonly (readonly LayerEntry[])[]
}

/** Layers by diffID: most images share their first. */
export type KnownLayers = Map<string, Promise<readonly LayerEntry[]>>

/**
 * Reads an image of a Docker daemon.
 * @param save gives what `docker save` writes; called only when a layer is not known yet
 */
export async function readDockerImage(
  document: string,
  known: KnownLayers,
  save: () => Promise<Buffer>,
): Promise<BuiltImage> {
  const config = JSON.parse(document) as ImageDocument
  const isKnown = (config.rootfs?.diff_ids ?? []).every((diffId) => known.has(diffId))
  const layers = isKnown ? [] : await layersOf(await save())
  return await withLayers(config, known, (index) => layers[index] ?? Buffer.of())
}

async function layersOf(archive: Buffer): Promise<readonly Buffer[]> {
  const files = await unpack(archive)
  const file = (name: string): Buffer => {
    const found = files.get(name)
    if (found === undefined) throw new Error(`the archive of dockerd has no ${name}`)
    return found
  }
  const [image] = JSON.parse(file('manifest.json').toString()) as readonly [
    { readonly Layers: readonly string[] },
  ]
  return image.Layers.map(file)
}

async function unpack(bytes: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const extract = tar.extract()
  const files = new Map<string, Buffer>()
  extract.end(bytes)
  for await (const entry of extract) {
    const { type, name, linkname } = entry.header
    // Equal layers are written once; the names of the others are links to it.
    const target = (linkname ?? '').replace(/^(\.\.\/)+/, '')
    const data = await buffer(entry)
    files.set(name, type === 'symlink' ? (files.get(target) ?? data) : data)
  }
  return files
}

/** Reads the image with this manifest from an OCI layout. */
export async function readLayoutImage(
  layout: string,
  digest: string,
  known: KnownLayers,
): Promise<BuiltImage> {
  const blob = (name: string): Buffer => {
    return readFileSync(join(layout, 'blobs', name.replace(':', '/')))
  }
  const manifest = JSON.parse(blob(digest).toString()) as {
    readonly config: { readonly digest: string }
    readonly layers: readonly { readonly digest: string; readonly mediaType: string }[]
  }
  const config = JSON.parse(blob(manifest.config.digest).toString()) as ImageDocument
  return await withLayers(config, known, (index) => {
    const { digest: name = '', mediaType = '' } = manifest.layers[index] ?? {}
    const bytes = blob(name)
    return mediaType.endsWith('gzip') ? gunzipSync(bytes) : bytes
  })
}

async function withLayers(
  config: ImageDocument,
  known: KnownLayers,
  open: (index: number) => Buffer,
): Promise<BuiltImage> {
  const layers = (config.rootfs?.diff_ids ?? []).map((diffId, index) => {
    const found = known.get(diffId) ?? readLayer(open(index))
    known.set(diffId, found)
    return found
  })
  return { config, layers: await Promise.all(layers) }
}
