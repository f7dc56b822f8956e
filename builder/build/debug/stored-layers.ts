import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { layerId, type Store } from '#cache'
import { TsbuildError } from '#core'

/**
 * Directories of layers that were noted by an earlier build; they stay until this process ends.
 * @param noted from the root of the store
 * @throws {TsbuildError} NOT_FOUND
 */
export function storedLayers(store: Store, noted: readonly string[]): readonly string[] {
  return noted.map((one) => {
    // A sweep leaves alone what is looked up.
    store.layers.get(layerId(basename(one)))
    const path = join(store.root, one)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
    throw new TsbuildError('the files that the step was run on are not in the store any more', {
      code: 'NOT_FOUND',
      hint: 'build again: what is not there is made anew',
    })
  })
}
