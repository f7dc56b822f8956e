import { digestsOf, withDigests } from '#builder'
import { Collector, type Store } from '#cache'
import { chainIdsOf, shortDigest, TsbuildError } from '#core'
import type { NewEvent } from '#engine/state'
import { familiarReference, formatReference, withDefaultTag } from '#registry-client'
import { type EngineImage, type ImageReference, referencesOf } from './image/engine-image.ts'
import { findImage, isIdOf, readReference } from './image/find-image.ts'
import { imageEvent } from './image/image-events.ts'
import { layerUses } from './list-images.ts'

/** A container of an image. */
export interface ImageUser {
  /** Of the container. */
  readonly id: string
  /** Id of the image. */
  readonly image: string
  readonly isRunning: boolean
}

/** What an image is removed with. */
export interface RemoveDeps {
  readonly store: Store
  readonly users: readonly ImageUser[]
  readonly emit: (event: NewEvent) => void
}

/** One line of the answer. Spec: Docker Engine API, ImageDeleteResponseItem */
export type RemovedItem = { readonly Untagged: string } | { readonly Deleted: string }

/** What is to be removed. */
export interface RemoveRequest {
  readonly text: string
  readonly force: boolean
}

/** What a removal has done. */
export interface RemovedImage {
  readonly items: readonly RemovedItem[]
  /** Ids of what only the image had in the store, as items. */
  readonly orphans: ReadonlySet<string>
}

/** What a removal does. */
interface Removal {
  readonly untagged: readonly ImageReference[]
  readonly isDeleted: boolean
}

/**
 * Removes a name of an image, and the image with its last one; by its id an image with all of its names. The space
 * that it took is not free yet.
 * @throws {TsbuildError} NOT_FOUND, USAGE, CONFLICT for one that a container needs, or that has more names
 */
export async function removeImage(
  images: readonly EngineImage[],
  request: RemoveRequest,
  deps: RemoveDeps,
): Promise<RemovedImage> {
  const image = findImage(images, request.text)
  const users = deps.users.filter((user) => image.ids.some((id) => id === user.image))
  const removal = planRemoval(image, users, request)
  const known = image.entries.map(({ name, descriptor }) => name ?? descriptor.digest)
  const orphans = new Collector(deps.store).onlyIn(new Set(known))
  await applyRemoval(image, removal, deps.store)
  // Digests that go with the last tag are not reported.
  const reported = isIdOf(image, request.text) ? removal.untagged : removal.untagged.slice(0, 1)
  for (const _ of reported) deps.emit(imageEvent('untag', image, image.id))
  const untagged = removal.untagged.map(({ text }) => ({ Untagged: text }))
  if (!removal.isDeleted) return { items: untagged, orphans: new Set() }
  deps.emit({ Type: 'image', Action: 'delete', id: image.id, attributes: { name: image.id } })
  // Containers keep the layers.
  const gone = users.length > 0 ? [] : layersOnlyIn(image, images)
  const layers = gone.toReversed().map((chain) => ({ Deleted: chain }))
  return { items: [...untagged, { Deleted: image.id }, ...layers], orphans }
}

/** Chain ids. */
function layersOnlyIn(image: EngineImage, images: readonly EngineImage[]): readonly string[] {
  const uses = layerUses(images)
  return chainIdsOf(image.config.diffIds).filter((chain) => uses.get(chain) === 1)
}

function planRemoval(
  image: EngineImage,
  users: readonly ImageUser[],
  { text, force }: RemoveRequest,
): Removal {
  const all = referencesOf(image)
  const running = users.find(({ isRunning }) => isRunning)
  const stopped = users.find(({ isRunning }) => !isRunning)
  if (isIdOf(image, text)) {
    const isOne = isSingle(all)
    if (running !== undefined) throw conflictError(image, 'running', running)
    if (!force && !isOne && all.length > 0) throw conflictError(image, 'referenced')
    if (!force && stopped !== undefined) throw conflictError(image, 'stopped', stopped)
    return { untagged: all, isDeleted: true }
  }
  const [user] = users
  if (!force && isSingle(all) && user !== undefined) {
    throw new TsbuildError(
      `conflict: unable to remove repository reference ${JSON.stringify(text)} (must force) - container ${user.id.slice(0, 12)} is using its referenced image ${shortDigest(image.id)}`,
      { code: 'CONFLICT' },
    )
  }
  const untagged = withLostDigests(all, nameOf(all, text))
  const isLast = untagged.length === all.length
  return {
    untagged,
    isDeleted: isLast && running === undefined && (force || stopped === undefined),
  }
}

/** The name that `text` is. */
function nameOf(all: readonly ImageReference[], text: string): ImageReference {
  const wanted = familiarReference(withDefaultTag(readReference(text)))
  const { registry, repository, digest } = readReference(text)
  const found =
    all.find((one) => one.text === wanted) ??
    all.find((one) => {
      const isOfIt = one.registry === registry && one.repository === repository
      return isOfIt && digest !== undefined && one.digest === digest
    })
  if (found !== undefined) return found
  throw new TsbuildError(`No such image: ${wanted}`, { code: 'NOT_FOUND' })
}

/** The digests of a repository go with its last tag. */
function withLostDigests(
  all: readonly ImageReference[],
  removed: ImageReference,
): readonly ImageReference[] {
  if (removed.digest !== undefined) return [removed]
  const same = all.filter(({ registry, repository }) => {
    return registry === removed.registry && repository === removed.repository
  })
  const isLast = same.every((one) => one === removed || one.digest !== undefined)
  return isLast ? [removed, ...same.filter((one) => one !== removed)] : [removed]
}

/** All names are of one repository, and one at most has a tag. */
function isSingle(all: readonly ImageReference[]): boolean {
  const repositories = new Set(all.map(({ registry, repository }) => `${registry}/${repository}`))
  return repositories.size === 1 && all.filter(({ digest }) => digest === undefined).length <= 1
}

function conflictError(
  image: EngineImage,
  why: 'running' | 'stopped' | 'referenced',
  user?: ImageUser,
): TsbuildError {
  const how = why === 'running' ? 'cannot be forced' : 'must be forced'
  const what =
    why === 'referenced'
      ? 'image is referenced in multiple repositories'
      : `image is being used by ${why} container ${user?.id.slice(0, 12)}`
  return new TsbuildError(
    `conflict: unable to delete ${shortDigest(image.id)} (${how}) - ${what}`,
    {
      code: 'CONFLICT',
    },
  )
}

async function applyRemoval(
  image: EngineImage,
  { untagged, isDeleted }: Removal,
  store: Store,
): Promise<void> {
  const names = new Set(untagged.flatMap(({ name }) => name ?? []))
  const digests = new Set(
    untagged.flatMap((one) => (one.name === undefined ? [formatReference(one)] : [])),
  )
  for (const { name, descriptor } of image.entries) {
    if (name === undefined) {
      if (isDeleted) await store.images.forget(descriptor.digest)
    } else if (names.has(name)) {
      // Where a container has it still, it stays without a name.
      await store.images.remove(name, isDeleted ? 'forgotten' : 'kept')
    } else if (digests.size > 0) await forgetDigests(name, digests, store)
  }
  if (!isDeleted) await forgetRepetitions(image, store)
}

/** Of an image that is kept in several forms, one without a name is enough, and none where there is a name. */
async function forgetRepetitions({ entries }: EngineImage, store: Store): Promise<void> {
  const digests = [...new Set(entries.map(({ descriptor }) => descriptor.digest))]
  const named = new Set(store.images.list().map(({ descriptor }) => descriptor.digest))
  const unnamed = digests.filter((digest) => !named.has(digest))
  const spare = unnamed.length < digests.length ? unnamed : unnamed.slice(1)
  for (const digest of spare) await store.images.forget(digest)
}

async function forgetDigests(
  name: string,
  digests: ReadonlySet<string>,
  store: Store,
): Promise<void> {
  const named = store.images.get(name)
  if (named === undefined) return
  const { descriptor, createdAt } = named
  const known = digestsOf(descriptor)
  const left = known.filter((text) => !digests.has(text))
  if (left.length < known.length) {
    await store.images.set(name, withDigests(descriptor, left), { createdAt })
  }
}
