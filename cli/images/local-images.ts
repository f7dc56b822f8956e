import { canonicalName, type LocalImage, readImage, readImages, splitName } from '#builder'
import type { NamedImage, Store } from '#cache'
import { hexOf, suggestion, TsbuildError } from '#core'

/**
 * The images that `text` means: one by its name, or one by the first digits of its id or digest.
 * @throws {TsbuildError} NOT_FOUND, REFERENCE_INVALID
 */
export async function findImage(store: Store, text: string): Promise<LocalImage> {
  const names = store.images.list()
  const name = nameOrUndefined(text)
  const named = name === undefined ? undefined : store.images.get(name)
  if (named !== undefined) {
    const { digest } = named.descriptor
    const all = names.filter(({ descriptor }) => descriptor.digest === digest)
    return await readImage(store, all)
  }
  const found = isIdPrefix(text) ? await findById(store, text) : []
  const [only, second] = found
  if (only !== undefined && second === undefined) return only
  if (second !== undefined) {
    throw new TsbuildError(`the id ${text} fits ${found.length} images`, {
      code: 'NOT_FOUND',
      hint: 'write more of its digits',
    })
  }
  throw notFoundError(text, names)
}

async function findById(store: Store, text: string): Promise<readonly LocalImage[]> {
  const wanted = text.replace(/^sha256:/, '')
  const images = await readImages(store, () => undefined)
  return images.filter(({ manifest, descriptor, target }) =>
    [manifest.config.digest, descriptor.digest, target.digest].some((digest) =>
      hexOf(digest).startsWith(wanted),
    ),
  )
}

/** True for what may be the beginning of a digest. */
function isIdPrefix(text: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{4,64}$/.test(text)
}

/** `text` as a canonical name, unless it can only be a digest. @throws {TsbuildError} REFERENCE_INVALID */
export function nameOrUndefined(text: string): string | undefined {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return undefined
  return canonicalName(text)
}

function notFoundError(text: string, names: readonly NamedImage[]): TsbuildError {
  const known = names.flatMap(({ name }) => {
    const { repository, tag } = splitName(name)
    return tag === 'latest' ? [repository, `${repository}:${tag}`] : [`${repository}:${tag}`]
  })
  const similar = suggestion(text, known)
  return new TsbuildError(`no image ${text} in the local store`, {
    code: 'NOT_FOUND',
    hint: similar === undefined ? 'tsbuild images lists what is there' : `did you mean ${similar}?`,
  })
}
