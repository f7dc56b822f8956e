import type { TransferOptions } from '#core'
import type { RepositoryName } from '../repository/blob-memory.ts'
import type { RegistryClient } from '../repository/client.ts'

/**
 * Finds out whether this user may push to repositories, before there is anything to push: one request for each, which
 * the first upload makes use of. Only a refusal counts: a registry that cannot be reached now may be back by then.
 * @throws {RegistryError} REGISTRY_DENIED, NOT_FOUND, REGISTRY_FAILED where it does not take pushes
 */
export async function checkPush(
  client: RegistryClient,
  repositories: readonly RepositoryName[],
  options: TransferOptions = {},
): Promise<void> {
  const names = new Map(repositories.map((one) => [`${one.registry}/${one.repository}`, one]))
  await Promise.all([...names.values()].map((one) => client.repository(one).checkPush(options)))
}
