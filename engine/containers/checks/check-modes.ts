import type { Config, HostConfig } from '#engine/model'
import { refuse } from './check-limits.ts'

const CONTAINER = 'container:'

/**
 * Says what does not go together with the namespaces that a container shares, in docker's words.
 * @throws {TsbuildError} USAGE
 */
export function checkModes(config: Config, hostConfig: HostConfig): void {
  const { PidMode = '', IpcMode = '', UTSMode = '', CgroupnsMode = '' } = hostConfig
  refuse(!isMode(PidMode, ['', 'host']), `invalid PID mode: ${PidMode}`)
  refuse(
    !isMode(IpcMode, ['', 'host', 'private', 'shareable', 'none']),
    `invalid IPC mode: ${IpcMode}`,
  )
  refuse(UTSMode !== '' && UTSMode !== 'host', `invalid UTS mode: ${UTSMode}`)
  refuse(
    !['', 'host', 'private'].includes(CgroupnsMode),
    `invalid cgroup namespace mode: ${CgroupnsMode}`,
  )
  refuse(
    UTSMode === 'host' && (config.Hostname ?? '') !== '',
    'conflicting options: hostname and the UTS mode',
  )
  if ((hostConfig.NetworkMode ?? '').startsWith(CONTAINER)) checkShared(config, hostConfig)
}

function isMode(mode: string, own: readonly string[]): boolean {
  return own.includes(mode) || (mode.startsWith(CONTAINER) && mode.length > CONTAINER.length)
}

/** What belongs to a network cannot be asked for by a container that has another one's. */
function checkShared(config: Config, hostConfig: HostConfig): void {
  const { Dns = [], ExtraHosts = [], Links = [], PortBindings = {}, PublishAllPorts } = hostConfig
  const publishes = PublishAllPorts === true || Object.keys(PortBindings).length > 0
  const conflicts = [
    [(config.Hostname ?? '') !== '', 'hostname and the network mode'],
    [Dns.length > 0, 'dns and the network mode'],
    [ExtraHosts.length > 0, 'custom host-to-IP mapping and the network mode'],
    [(config.MacAddress ?? '') !== '', 'mac-address and the network mode'],
    [publishes, 'port publishing and the container type network mode'],
    [
      Object.keys(config.ExposedPorts ?? {}).length > 0,
      'port exposing and the container type network mode',
    ],
  ] as const
  for (const [isWrong, what] of conflicts) refuse(isWrong, `conflicting options: ${what}`)
  refuse(
    Links.length > 0,
    "conflicting options: container type network can't be used with links. This would result in undefined behavior",
  )
}
