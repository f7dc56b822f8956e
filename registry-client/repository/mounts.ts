import type { Descriptor, TransferOptions } from '#core'
import { pullScope } from '../auth/scope.ts'
import { RegistryError } from '../errors.ts'
import type { RepositoryRef } from './repository-ref.ts'
import { UploadSession } from './upload-session.ts'
import { checkStored, postUpload } from './upload-task.ts'

/** Few, since uploading is always possible. */
const MOUNT_ATTEMPTS = 2

/**
 * What became of a mount. `missing`: the registry starts an upload instead, or does not know `from`; `failed`:
 * for a reason that says nothing of `from`.
 */
type MountOutcome = 'mounted' | 'missing' | 'denied' | 'failed'

/**
 * Takes a blob over from another repository. That nothing was mounted is no error, whatever the reason: a user
 * who may not read `from` may still push, and a registry that fails at mounting may still take an upload.
 * Spec: distribution-spec v1.1 #mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  { from, signal }: { from: string } & TransferOptions,
): Promise<MountOutcome> {
  const doing = `mount blob ${descriptor.digest} of ${from} to ${ref.endpoint.registry}/${ref.name}`
  const task = { ref, doing, isRepeatable: true, signal }
  const query = new URLSearchParams({ mount: descriptor.digest, from })
  try {
    const response = await postUpload(task, {
      query: `?${query}`,
      expect: [201, 202],
      scopes: [pullScope(from)],
      attempts: MOUNT_ATTEMPTS,
    })
    if (response.status === 201) {
      checkStored(task, response, descriptor.digest)
      return 'mounted'
    }
    await (await UploadSession.of(task, response)).cancel()
    return 'missing'
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (error.code === 'REGISTRY_DENIED') return 'denied'
    return error.code === 'NOT_FOUND' ? 'missing' : 'failed'
  }
}
