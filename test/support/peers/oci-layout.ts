import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** What `config` of an image says beside its layers. */
export interface LayoutImage {
  /** Path of the tar of the lowest layer. */
  readonly tar: string
  /** Those of the layers above. Default: none. */
  readonly upper?: readonly string[]
  /** The `config` object. Spec: image-spec v1.1 config.md */
  readonly config: Readonly<Record<string, unknown>>
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const PREFIX = 'application/vnd.oci.image'

/**
 * Writes an image of gzip layers as an OCI layout, tag `latest`, with code that shares nothing with
 * the builder. The same tars give the same bytes.
 */
export async function writeLayout(directory: string, image: LayoutImage): Promise<void> {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true })
  const layers: WrittenLayer[] = []
  for (const tar of [image.tar, ...(image.upper ?? [])])
    layers.push(await writeLayer(directory, tar))
  const config = writeDocument(directory, `${PREFIX}.config.v1+json`, {
    created: '1970-01-01T00:00:00Z',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'base' })),
  })
  const manifest = writeDocument(directory, `${PREFIX}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${PREFIX}.manifest.v1+json`,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  })
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] }
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index))
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface WrittenLayer {
  readonly diffId: string
  readonly descriptor: Descriptor
}

async function writeLayer(directory: string, tar: string): Promise<WrittenLayer> {
  const inner = createHash('sha256')
  const outer = createHash('sha256')
  const temporary = join(directory, 'layer')
  let size = 0
  await pipeline(
    createReadStream(tar),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        inner.update(chunk)
        yield chunk
      }
    },
    createGzip({ level: 6 }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        outer.update(chunk)
        size += chunk.length
        yield chunk
      }
    },
    createWriteStream(temporary),
  )
  const hex = outer.digest('hex')
  renameSync(temporary, join(directory, 'blobs/sha256', hex))
  return {
    diffId: `sha256:${inner.digest('hex')}`,
    descriptor: { mediaType: `${PREFIX}.layer.v1.tar+gzip`, digest: `sha256:${hex}`, size },
  }
}

function writeDocument(directory: string, mediaType: string, document: object): Descriptor {
  const text = JSON.stringify(document)
  const hex = createHash('sha256').update(text).digest('hex')
  writeFileSync(join(directory, 'blobs/sha256', hex), text)
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) }
}
