import type { Digest } from '#core'
import { type ContainerRecord, CREATED_STATE, type CreateBody, newId, now } from '#engine/model'

/** The record of a container of which only the network matters. */
export function recordOf(name: string, body: CreateBody = {}): ContainerRecord {
  const { HostConfig = {}, NetworkingConfig = {}, ...config } = body
  const mode = HostConfig.NetworkMode ?? 'bridge'
  const digest = `sha256:${'0'.repeat(64)}` as Digest
  const configured = NetworkingConfig.EndpointsConfig ?? {}
  return {
    ...{ id: newId(), name, created: now(), config, hostConfig: HostConfig },
    endpoints: { ...configured, [mode]: configured[mode] ?? {} },
    image: {
      name: 'none',
      manifest: digest,
      id: digest,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    ...{ mounts: [], state: CREATED_STATE, restartCount: 0, isStoppedByUser: false },
  }
}
