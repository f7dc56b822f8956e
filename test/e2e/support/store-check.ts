import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Descriptor {
  readonly digest: string
  readonly size: number
  readonly mediaType?: string
}

interface Document {
  readonly manifests?: readonly Descriptor[]
  readonly layers?: readonly Descriptor[]
  readonly config?: Descriptor
}

/** Numbers of bytes of pieces and recipe, the size of the blob, the earlier one: see docs/store.md */
const TRAILER = /^(\d+) (\d+) (\d+) ([0-9a-f]{64}) *[0-9a-f]{64}$/
const TRAILER_BYTES = 192

function trailerOf(file: Buffer): readonly string[] {
  return TRAILER.exec(file.subarray(-TRAILER_BYTES).toString('latin1')) ?? []
}

/** The hex digits of the blob that one is kept in parts of; `undefined` for one that is a file. */
export function earlierOf(root: string, name: string): string | undefined {
  const path = join(root, 'parts', name)
  return existsSync(path) ? trailerOf(readFileSync(path))[4] : undefined
}

/** The bytes of a blob that is kept in parts. */
function joinParts(root: string, name: string): Buffer {
  const file = readFileSync(join(root, 'parts', name))
  const [, first, second, , hex = ''] = trailerOf(file)
  const [pieceBytes, recipeBytes] = [Number(first), Number(second)]
  const recipe = file.subarray(pieceBytes, pieceBytes + recipeBytes).toString('latin1')
  const earlier = readFileSync(join(root, 'blobs/sha256', hex))
  const rows = JSON.parse(recipe) as readonly [number, number, number][]
  const ranges = rows.map(([kind, position, size]) =>
    (kind === 0 ? earlier : file).subarray(position, position + size),
  )
  return Buffer.concat(ranges)
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Every blob of a store, in parts or not. */
function* blobsIn(root: string): Generator<readonly [name: string, bytes: Buffer]> {
  const directory = join(root, 'blobs/sha256')
  for (const name of namesIn(directory)) yield [name, readFileSync(join(directory, name))]
  for (const name of namesIn(join(root, 'parts'))) yield [name, joinParts(root, name)]
}

/**
 * What is wrong with a store as an OCI layout, found without the code that wrote it: a blob whose
 * name is not the digest of its content, or a name that leads to something missing.
 */
export function storeFaults(root: string): string[] {
  const faults: string[] = []
  const directory = join(root, 'blobs/sha256')
  const sizes = new Map<string, number>()
  for (const [name, bytes] of blobsIn(root)) {
    const digest = createHash('sha256').update(bytes).digest('hex')
    sizes.set(`sha256:${name}`, bytes.length)
    if (digest !== name) faults.push(`blob ${name} has the digest ${digest}`)
  }
  const follow = (path: string, from: string): void => {
    const {
      manifests = [],
      layers = [],
      config,
    } = JSON.parse(readFileSync(path, 'utf8')) as Document
    for (const descriptor of [...manifests, ...layers, ...(config === undefined ? [] : [config])]) {
      const size = sizes.get(descriptor.digest)
      const blob = join(directory, descriptor.digest.replace('sha256:', ''))
      if (size === undefined) faults.push(`${from} names ${descriptor.digest}, which is missing`)
      else if (size !== descriptor.size)
        faults.push(`${from} names ${descriptor.digest}, ${size} bytes`)
      else if (descriptor.mediaType?.includes('manifest') === true) follow(blob, descriptor.digest)
    }
  }
  const index = join(root, 'index.json')
  if (existsSync(index)) follow(index, 'index.json')
  return faults
}
