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

/**
 * What is wrong with a store as an OCI layout, found without the code that wrote it: a blob whose
 * name is not the digest of its content, or a name that leads to something missing.
 */
export function storeFaults(root: string): string[] {
  const faults: string[] = []
  const directory = join(root, 'blobs/sha256')
  const sizes = new Map<string, number>()
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const bytes = readFileSync(join(directory, name))
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
