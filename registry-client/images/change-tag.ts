import { type EncodedDocument, type TransferOptions, TsbuildError } from '#core'
import type { FetchedManifest } from '../repository/manifests.ts'
import type { Repository } from '../repository/repository.ts'

/** Others may write at the same time; each of them is done after a moment. */
const ATTEMPTS = 5

/**
 * Changes the manifest under a tag that several write. Registries have no conditional writes, so it is read back: what
 * another one has written over is changed again.
 * @param change gets what is there; `undefined` of it: nothing is to be changed any more
 * @throws {RegistryError} REGISTRY_FAILED where others go on writing over it
 */
export async function changeTag(
  repository: Repository,
  tag: string,
  change: (current: FetchedManifest | undefined) => Promise<EncodedDocument | undefined>,
  options: TransferOptions = {},
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const changed = await change(await findTagged(repository, tag, options))
    if (changed === undefined) return
    await repository.putManifest(tag, changed, options)
  }
  throw new TsbuildError(`${repository.registry}/${repository.name}:${tag} does not stay written`, {
    code: 'REGISTRY_FAILED',
    hint: 'others write it at the same time: try again when they have ended',
  })
}

/** What a tag points to in the registry itself, if there is one. */
export async function findTagged(
  repository: Repository,
  tag: string,
  options: TransferOptions = {},
): Promise<FetchedManifest | undefined> {
  try {
    return await repository.fetchManifest(tag, { ...options, from: 'registry' })
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND') return undefined
    throw cause
  }
}
