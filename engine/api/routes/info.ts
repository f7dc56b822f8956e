import { readdirSync } from 'node:fs'
import { isJsonObject, type JsonObject } from '#core'
import type { ApiVersion } from '../http/api-version.ts'
import type { EngineServices } from '../services/engine-services.ts'

/** The document of GET /info. */
export async function infoOf(services: EngineServices, { minor }: ApiVersion): Promise<JsonObject> {
  const Images = await services.images.using((_, images) => images.length)
  return {
    ...inVersion(await services.info(), minor),
    ...countsOf(services),
    Images,
    NEventsListener: services.events.listening,
    NFd: readdirSync('/proc/self/fd').length,
    // What goes on at the same time.
    NGoroutines: process.getActiveResourcesInfo().length,
  }
}

function countsOf({ containers }: EngineServices): JsonObject {
  const all = containers.all().map(({ record }) => record.state.status)
  const count = (...wanted: readonly string[]): number =>
    all.filter((status) => wanted.includes(status)).length
  const paused = count('paused')
  const running = count('running', 'restarting')
  return {
    Containers: all.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: all.length - running - paused,
  }
}

/** Of programs that docker consists of. */
const COMMITS = ['ContainerdCommit', 'RuncCommit', 'InitCommit']

/** Without what a version has not yet, and with what later ones have not any more. */
function inVersion(info: JsonObject, minor: number): JsonObject {
  const { FirewallBackend, RegistryConfig, ...common } = info
  const registries = isJsonObject(RegistryConfig) ? RegistryConfig : {}
  const commit = { ID: '', ...(minor < 49 ? { Expected: '' } : {}) }
  return {
    ...common,
    ...Object.fromEntries(COMMITS.map((name) => [name, commit])),
    ...(minor < 49 || FirewallBackend === undefined ? {} : { FirewallBackend }),
    // Where it is not so, clients warn that networks are not kept apart.
    ...(minor < 50 ? { BridgeNfIptables: true, BridgeNfIp6tables: true } : {}),
    RegistryConfig: minor < 47 ? { ...FORMER_REGISTRIES, ...registries } : registries,
  }
}

const FORMER_REGISTRIES: JsonObject = {
  AllowNondistributableArtifactsCIDRs: null,
  AllowNondistributableArtifactsHostnames: null,
}
