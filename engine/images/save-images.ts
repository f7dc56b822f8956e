import type { SavedImage } from '#builder'
import type { Digest } from '#core'
import { formatReference } from '#registry-client'
import { type EngineImage, referencesOf } from './image/engine-image.ts'
import { findImage, isIdOf, readReference } from './image/find-image.ts'

/** An image that is saved. */
export interface ChosenImage extends SavedImage {
  readonly image: EngineImage
}

/**
 * The images that are asked for, each once: by an id without names, by a repository with all of its tags.
 * @throws {TsbuildError} NOT_FOUND, USAGE
 */
export function imagesToSave(
  images: readonly EngineImage[],
  texts: readonly string[],
): readonly ChosenImage[] {
  const chosen = new Map<Digest, { image: EngineImage; names: Set<string> }>()
  const choose = (image: EngineImage, names: readonly string[]): void => {
    const known = chosen.get(image.target.digest) ?? { image, names: new Set() }
    for (const name of names) known.names.add(name)
    chosen.set(image.target.digest, known)
  }
  for (const text of texts) {
    for (const [image, names] of namedBy(images, text)) choose(image, names)
  }
  return [...chosen].map(([digest, { image, names }]) => ({ digest, image, names: [...names] }))
}

type Named = readonly [image: EngineImage, names: readonly string[]]

function namedBy(images: readonly EngineImage[], text: string): readonly Named[] {
  const all = isName(text) ? allOfRepository(images, text) : []
  if (all.length > 0) return all
  const image = findImage(images, text)
  if (isIdOf(image, text)) return [[image, []]]
  const { tag, digest } = readReference(text)
  return [
    [
      image,
      tag === undefined || digest !== undefined ? [] : [formatReference(readReference(text))],
    ],
  ]
}

function isName(text: string): boolean {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return false
  const { tag, digest } = readReference(text)
  return tag === undefined && digest === undefined
}

function allOfRepository(images: readonly EngineImage[], text: string): readonly Named[] {
  const wanted = readReference(text)
  return images.flatMap((image) => {
    const names = referencesOf(image).flatMap(({ registry, repository, tag, digest, name }) => {
      const isOfIt = registry === wanted.registry && repository === wanted.repository
      return isOfIt && tag !== undefined && digest === undefined && name !== undefined ? [name] : []
    })
    return names.length === 0 ? [] : ([[image, names]] as const)
  })
}
