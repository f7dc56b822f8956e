import type { Descriptor } from '#core'
import type { RepositoryName } from './records/result-cache.ts'

/** Of a layer in a manifest of the store: the repository that has its blob, as `registry/repository`. */
const ELSEWHERE = 'tsbuild.elsewhere'

/**
 * Says in a manifest of the store that the store need not have a layer, since a repository has it. Only what the
 * store itself has written may be asked for it: a manifest from elsewhere could name any host.
 */
export function markElsewhere(
  descriptor: Descriptor,
  { registry, repository }: RepositoryName,
): Descriptor {
  const annotations = { ...descriptor.annotations, [ELSEWHERE]: `${registry}/${repository}` }
  return { ...descriptor, annotations }
}

/** Where a layer is that the store need not have; `undefined`: the store has it, or has lost it. */
export function elsewhereOf({ annotations }: Descriptor): RepositoryName | undefined {
  const [, registry, repository] = /^([^/]+)\/(.+)$/.exec(annotations?.[ELSEWHERE] ?? '') ?? []
  return registry === undefined || repository === undefined ? undefined : { registry, repository }
}
