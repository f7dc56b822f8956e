/** Which compressed blobs hold which layer, as it was seen on this machine. */
import { type Descriptor, type DiffId, type Digest, isDigest } from '#core'
import { isNoSpace } from '../filesystem/failure.ts'
import type { Database, Row } from './database.ts'
import { sumOf } from './schema.ts'

type Annotations = NonNullable<Descriptor['annotations']>

/** Compressed blobs of a layer, ordered by digest. */
export function compressedBlobs(database: Database, diffId: DiffId): readonly Descriptor[] {
  return database
    .all('SELECT * FROM compressed WHERE diff_id = ? ORDER BY digest', diffId)
    .flatMap((row) => toDescriptor(row) ?? [])
}

/** Records that a blob holds a layer. */
export function addCompressedBlob(
  database: Database,
  diffId: DiffId,
  { digest, mediaType, size }: Descriptor,
): void {
  const sum = sumOf(diffId, digest, mediaType, size)
  database.run(
    'INSERT OR REPLACE INTO compressed (diff_id, digest, media_type, size, sum) VALUES (?, ?, ?, ?, ?)',
    ...[diffId, digest, mediaType, size, sum],
  )
}

/** What a layer was packed to here, by how it was packed. */
export function packingsOf(database: Database, diffId: DiffId): ReadonlyMap<string, Digest> {
  const rows = database.all('SELECT packing, digest FROM packings WHERE diff_id = ?', diffId)
  return new Map(
    rows.flatMap(({ packing, digest }): readonly (readonly [string, Digest])[] => {
      return typeof digest === 'string' && isDigest(digest) ? [[String(packing), digest]] : []
    }),
  )
}

/** What descriptors say of blobs of a layer that were packed here with annotations, be there none. */
export function blobAnnotations(
  database: Database,
  diffId: DiffId,
): ReadonlyMap<Digest, Annotations> {
  const rows = database.all(
    'SELECT digest, document, sum FROM annotations WHERE diff_id = ?',
    diffId,
  )
  return new Map(
    rows.flatMap(({ digest, document, sum }): readonly (readonly [Digest, Annotations])[] => {
      if (typeof digest !== 'string' || !isDigest(digest)) return []
      if (typeof document !== 'string' || sum !== sumOf(diffId, digest, document)) return []
      return [[digest, JSON.parse(document) as Annotations]]
    }),
  )
}

function addAnnotations(
  database: Database,
  diffId: DiffId,
  { digest, annotations }: Descriptor,
): void {
  if (annotations === undefined) return
  const document = JSON.stringify(annotations)
  database.run(
    'INSERT OR REPLACE INTO annotations (diff_id, digest, document, sum) VALUES (?, ?, ?, ?)',
    ...[diffId, digest, document, sumOf(diffId, digest, document)],
  )
}

/** Records what a layer was packed to, and how. What a full disk does not take is forgotten. */
export function addPackedBlob(
  database: Database,
  diffId: DiffId,
  { packing, ...blob }: Descriptor & { readonly packing: string },
): void {
  try {
    database.transaction(() => {
      addCompressedBlob(database, diffId, blob)
      addAnnotations(database, diffId, blob)
      database.run(
        'INSERT OR REPLACE INTO packings (diff_id, packing, digest) VALUES (?, ?, ?)',
        ...[diffId, packing, blob.digest],
      )
    })
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause
  }
}

function toDescriptor(row: Row): Descriptor | undefined {
  const { diff_id: diffId, digest, media_type: mediaType, size, sum } = row
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  if (typeof mediaType !== 'string' || typeof size !== 'number') return undefined
  if (sum !== sumOf(String(diffId), digest, mediaType, size)) return undefined
  return { mediaType, digest, size }
}
