import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { SessionContent } from '#buildkit/session'
import {
  collect,
  type Descriptor,
  type Digest,
  isDigest,
  type JsonObject,
  TsbuildError,
  usageError,
} from '#core'

/** Blobs of one layout, and bytes of a document in it. */
const MOST_BLOBS = 10_000
const MOST_DOCUMENT = 4 * 1024 * 1024

const DOCUMENTS =
  /^application\/vnd\.(?:oci\.image\.(?:index|manifest)|docker\.distribution\.manifest)\b/

/**
 * Copies what a digest leads to from a store of the client into a folder in the layout of OCI, which is made.
 * Spec: image-spec v1.1 image-layout.md
 * @returns whether the client has it
 * @throws {TsbuildError} NOT_FOUND for what it leads to, USAGE for what is too much
 */
export async function fetchLayout(
  content: SessionContent,
  root: string,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<boolean> {
  if (!isDigest(root)) return false
  const size = await content.size(root, { signal })
  if (size === undefined) return false
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  const first = await fetchDocument(content, { digest: root, size, mediaType: '' }, signal)
  const mediaType = String(first.document.mediaType ?? 'application/vnd.oci.image.manifest.v1+json')
  const top: Descriptor = { mediaType, digest: root, size }
  const known = new Set<Digest>([root])
  writeFileSync(pathOf(folder, root), first.bytes)
  const rest = childrenOf(first.document)
  for (let child = rest.pop(); child !== undefined; child = rest.pop()) {
    if (known.has(child.digest)) continue
    known.add(child.digest)
    if (known.size > MOST_BLOBS) throw usageError(`an image has more than ${MOST_BLOBS} blobs`)
    if (DOCUMENTS.test(child.mediaType)) {
      const { bytes, document } = await fetchDocument(content, child, signal)
      writeFileSync(pathOf(folder, child.digest), bytes)
      rest.push(...childrenOf(document))
    } else {
      const bytes = await content.open(child, { signal })
      await pipeline(bytes, createWriteStream(pathOf(folder, child.digest)), { signal })
    }
  }
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }))
  return true
}

/**
 * Gives the client all blobs of a layout.
 * @returns the only entry of its index
 */
export async function sendLayout(
  content: SessionContent,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<JsonObject> {
  for (const hex of readdirSync(join(folder, 'blobs/sha256')).toSorted()) {
    const digest = `sha256:${hex}` as Digest
    const path = pathOf(folder, digest)
    const { size } = statSync(path)
    const descriptor = { mediaType: 'application/octet-stream', digest, size }
    if (await content.has(descriptor, { signal })) continue
    await content.put(descriptor, createReadStream(path), { signal })
  }
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    readonly manifests: readonly JsonObject[]
  }
  const [entry] = index.manifests
  if (entry === undefined) throw new Error('a layout that was written has an entry')
  return entry
}

interface FetchedDocument {
  readonly bytes: Buffer
  readonly document: JsonObject
}

async function fetchDocument(
  content: SessionContent,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<FetchedDocument> {
  const { digest, size } = descriptor
  if (size > MOST_DOCUMENT) throw usageError(`${digest} is no manifest: it has ${size} bytes`)
  const bytes = await collect(await content.open(descriptor, { signal }), MOST_DOCUMENT)
  try {
    return { bytes, document: JSON.parse(bytes.toString()) as JsonObject }
  } catch (cause) {
    throw new TsbuildError(`${digest} is no manifest`, { code: 'USAGE', cause })
  }
}

/** Whatever else they say, they are checked when they are read as an image. */
function childrenOf(document: JsonObject): Descriptor[] {
  const { manifests, layers, blobs, config } = document
  const lists = [manifests, layers, blobs].flatMap((list) => (Array.isArray(list) ? list : []))
  return [...lists, config].flatMap((one): readonly Descriptor[] => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return []
    const { digest, size, mediaType } = one as JsonObject
    if (typeof digest !== 'string' || !isDigest(digest) || typeof size !== 'number') return []
    return [{ digest, size, mediaType: String(mediaType ?? '') }]
  })
}

function pathOf(folder: string, digest: Digest): string {
  return join(folder, 'blobs/sha256', digest.slice(digest.indexOf(':') + 1))
}
