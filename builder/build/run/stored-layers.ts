import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { layerId, type Store } from '#cache'
import { type Digest, isDigest, TsbuildError } from '#core'

/** In which form the lower layers of a step are looked up. */
export type StoredForm = 'directory' | 'any'

/**
 * Layers that were noted by an earlier build; they stay until this process ends.
 * @param noted from the root of the store: directories, and tars that steps in place had
 * @param form `any` also for tars
 * @throws {TsbuildError} NOT_FOUND
 */
export async function storedLayers(
  store: Store,
  noted: readonly string[],
  form: StoredForm,
): Promise<readonly string[]> {
  return await Promise.all(
    noted.map(async (one) => {
      const name = `sha256:${basename(one)}`
      const tar = isDigest(name) && store.blobs.path(name) === join(store.root, one)
      if (tar && form === 'directory') throw tarError()
      const path = tar ? await tarOf(store, name) : directoryOf(store, one)
      if (path !== undefined) return path
      throw new TsbuildError('the files that the step was run on are not in the store any more', {
        code: 'NOT_FOUND',
        hint: 'build again: what is not there is made anew',
      })
    }),
  )
}

async function tarOf({ blobs }: Store, name: Digest): Promise<string | undefined> {
  // A sweep leaves alone what is looked up.
  return blobs.stat(name) === undefined ? undefined : await blobs.file(name)
}

function directoryOf(store: Store, noted: string): string | undefined {
  store.layers.get(layerId(basename(noted)))
  const path = join(store.root, noted)
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : undefined
}

function tarError(): TsbuildError {
  return new TsbuildError('the step was run in place, on files that no other sandbox has', {
    code: 'NOT_FOUND',
    hint: 'look into it in place, too: --isolation=in-place, in a container',
  })
}
