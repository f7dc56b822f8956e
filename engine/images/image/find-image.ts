import { digestsOf, readLocalDocuments } from '#builder'
import type { Store } from '#cache'
import {
  type Digest,
  formatPlatform,
  hexOf,
  type Platform,
  platformDistance,
  TsbuildError,
} from '#core'
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#registry-client'
import { type EngineImage, referencesOf } from './engine-image.ts'

/** A whole id, or the beginning of one. */
const WHOLE_ID = /^(?:sha256:)?[0-9a-f]{64}$/
const ID_PREFIX = /^(?:sha256:)?[0-9a-f]{1,64}$/

/** A name as people write it. @throws {TsbuildError} USAGE */
export function readReference(text: string): Reference {
  try {
    return parseReference(text)
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    throw new TsbuildError(cause.message, { code: 'USAGE', cause })
  }
}

/** A repository and a tag or a digest, as queries have them. @throws {TsbuildError} USAGE */
export function joinReference(repository: string, tag: string | undefined): Reference {
  if (tag === undefined || tag === '') return readReference(repository)
  const isDigest = tag.includes(':')
  const { tag: _, digest: __, ...name } = readReference(repository)
  return readReference(`${formatReference(name)}${isDigest ? '@' : ':'}${tag}`)
}

/**
 * The image that `text` means: by its id, a name, a name with a digest, or the first digits of its id.
 * @throws {TsbuildError} NOT_FOUND, USAGE
 */
export function findImage(images: readonly EngineImage[], text: string): EngineImage {
  if (WHOLE_ID.test(text)) {
    const found = images.find((image) =>
      digestsWithin(image).some((one) => hexOf(one) === hexIn(text)),
    )
    if (found !== undefined) return found
    throw missingImageError(`sha256:${hexIn(text)}`)
  }
  const reference = withDefaultTag(readReference(text))
  const named = images.find((image) => isNamed(image, reference))
  if (named !== undefined) return named
  const begun = ID_PREFIX.test(text)
    ? images.filter(({ ids }) => ids.some((id) => hexOf(id).startsWith(hexIn(text))))
    : []
  const [only] = begun
  if (only !== undefined && begun.length === 1) return only
  throw missingImageError(familiarReference(reference))
}

/** Whether `text` is the beginning of an image's id, so that it is not one of its names. */
export function isIdOf({ ids }: EngineImage, text: string): boolean {
  return ids.some((id) => id.startsWith(text) || hexOf(id).startsWith(text))
}

/** Docker's words: clients pull an image when they read them. */
function missingImageError(text: string): TsbuildError {
  return new TsbuildError(`No such image: ${text}`, { code: 'NOT_FOUND' })
}

function hexIn(text: string): string {
  return text.replace(/^sha256:/, '')
}

/** Clients name an image by its manifest or index, too. */
function digestsWithin({ ids, descriptor, entries }: EngineImage): readonly Digest[] {
  return [...ids, descriptor.digest, ...entries.map((entry) => entry.descriptor.digest)]
}

function isNamed(image: EngineImage, reference: Reference): boolean {
  const { digest } = reference
  if (digest === undefined) {
    const name = formatReference(reference)
    return image.entries.some((entry) => entry.name === name)
  }
  const { registry, repository } = reference
  const wanted = formatReference({ registry, repository, digest })
  const isNoted = image.entries.some(({ descriptor, name }) => {
    return name === wanted || digestsOf(descriptor).includes(wanted)
  })
  if (isNoted) return true
  const isHere = digestsWithin(image).includes(digest)
  const isOfIt = (one: Reference) => one.registry === registry && one.repository === repository
  return isHere && referencesOf(image).some(isOfIt)
}

/**
 * The image as it is for a platform; of an index the manifest for it.
 * @throws {TsbuildError} NOT_FOUND where the store has none for it
 */
export async function imageFor(
  store: Store,
  image: EngineImage,
  { platform, text }: { readonly platform: Platform | undefined; readonly text: string },
): Promise<EngineImage> {
  if (platform === undefined) return image
  const documents = await readLocalDocuments(store, image.target, platform)
  const own = documents.config.platform
  if (platformDistance(platform, own) === undefined) {
    throw new TsbuildError(
      `image with reference ${text} was found but its platform (${formatPlatform(own)}) does not match the specified platform (${formatPlatform(platform)})`,
      { code: 'NOT_FOUND' },
    )
  }
  return { ...image, ...documents, id: documents.manifest.config.digest }
}
