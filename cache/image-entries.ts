/** The entries of a store's `index.json`: images with names and without, and what other tools put there. */
import {
  DESCRIPTOR_SHAPE,
  type Descriptor,
  type DescriptorFields,
  MEDIA_TYPES,
  readDocument,
  shapes,
  TsbuildError,
  toDescriptor,
} from '#core'

/** An image of the local store. */
export interface NamedImage {
  /** As it was set: a canonical reference such as `docker.io/library/hello:latest`. */
  readonly name: string
  readonly descriptor: Descriptor
  readonly createdAt?: Date | undefined
}

/** An image of the local store that has no name. */
export type UnnamedImage = Omit<NamedImage, 'name'>

/** What skopeo, podman and umoci look for, the whole name; containerd has an annotation of its own. */
const REF_NAME = 'org.opencontainers.image.ref.name'
const CONTAINERD_NAME = 'io.containerd.image.name'
const CREATED = 'org.opencontainers.image.created'

export const INDEX = 'index.json'

const { integer, list, map, object, string, withText } = shapes

const INDEX_SHAPE = object({
  schemaVersion: integer,
  mediaType: string,
  manifests: list(withText(DESCRIPTOR_SHAPE)),
  annotations: map(string),
})

/** One entry. */
export interface Entry {
  readonly name: string | undefined
  readonly fields: DescriptorFields
  /** As it is written. */
  readonly text: string
}

/** `undefined` when it is not an index. Entries of other tools stay as they are. */
export function parse(text: string | undefined): readonly Entry[] | undefined {
  if (text === undefined) return undefined
  try {
    const index = readDocument(Buffer.from(text), INDEX_SHAPE, {
      what: INDEX,
      code: 'STORE_INVALID',
    })
    const { manifests = [] } = index
    return manifests.map((entry) => ({
      name: nameOf(entry.value),
      fields: entry.value,
      text: entry.text,
    }))
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

export function serialize(entries: readonly Entry[]): string {
  const manifests = entries.map((entry) => entry.text).join(',')
  return `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociIndex}","manifests":[${manifests}]}`
}

function nameOf({ annotations = {} }: DescriptorFields): string | undefined {
  return annotations[CONTAINERD_NAME] ?? annotations[REF_NAME]
}

/** The image that an entry leads to; `undefined` for what is not known here. */
export function toImage({ name, fields }: Entry): UnnamedImage | undefined {
  try {
    const { annotations = {}, ...descriptor } = toDescriptor(fields, name ?? INDEX)
    const { [REF_NAME]: _, [CONTAINERD_NAME]: __, [CREATED]: created, ...others } = annotations
    const createdAt = new Date(created ?? Number.NaN)
    return {
      descriptor: {
        ...descriptor,
        ...(Object.keys(others).length > 0 ? { annotations: others } : {}),
      },
      ...(Number.isNaN(createdAt.getTime()) ? {} : { createdAt }),
    }
  } catch (cause) {
    // Another tool's entry that is not a descriptor of ours, say with a sha512 digest.
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

/** Whether an entry keeps an image without a name. */
export function isUnnamed(
  { name, fields }: Entry,
  { digest }: Pick<DescriptorFields, 'digest'>,
): boolean {
  return name === undefined && fields.digest === digest
}

/** The entry of an image that loses its name; none of what is not known here. */
export function withoutName(entry: Entry): readonly Entry[] {
  const image = toImage(entry)
  if (image === undefined) return []
  return [toEntry(undefined, image)]
}

/** Adds those that lead to what no entry leads to yet. */
export function withoutRepetition(
  entries: readonly Entry[],
  added: readonly Entry[],
): readonly Entry[] {
  const known = new Set(entries.map(({ fields }) => fields.digest))
  return [...entries, ...added.filter(({ fields }) => !known.has(fields.digest))]
}

/** An entry for an image. */
export function toEntry(name: string | undefined, { descriptor, createdAt }: UnnamedImage): Entry {
  const { mediaType, digest, size, platform, artifactType } = descriptor
  const annotations = {
    ...descriptor.annotations,
    ...(name === undefined ? {} : { [REF_NAME]: name, [CONTAINERD_NAME]: name }),
    ...(createdAt === undefined ? {} : { [CREATED]: createdAt.toISOString() }),
  }
  const fields = {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
  return { name, fields, text: JSON.stringify(fields) }
}
