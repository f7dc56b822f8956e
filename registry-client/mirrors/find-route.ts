import type { Environment } from '#http'
import { daemonMirrors } from './docker-daemon.ts'
import { containerdMirrors } from './hosts-toml.ts'
import { mirrorOf, type PullRoute, type RegistryMirror } from './mirror.ts'
import { registriesConfRoute } from './registries-conf.ts'

/** A repository of a registry, as references have it. */
interface RepositoryName {
  readonly registry: string
  readonly repository: string
}

/**
 * Where a repository is pulled from: from the mirrors that are given, else as the first of these says that says
 * something: containers' registries.conf, containerd's hosts.toml, docker's daemon.json.
 * @throws {TsbuildError} CONFIG_INVALID, PERMISSION_DENIED
 */
export async function findRoute(
  name: RepositoryName,
  given: readonly RegistryMirror[],
  environment: Environment | undefined,
): Promise<PullRoute> {
  const { registry, repository } = name
  const own = given.filter((one) => one.registry === registry)
  const mirrors = own.map((one) => mirrorOf(one, repository))
  if (environment === undefined) return { mirrors }
  const route = await registriesConfRoute(name, environment)
  if (route?.blockedBy !== undefined) return route
  if (mirrors.length > 0) return { mirrors }
  if (route !== undefined && route.mirrors.length > 0) return route
  const others = await containerdMirrors(name)
  return { mirrors: others.length > 0 ? others : daemonMirrors(name, environment) }
}
