import type { ContainerSettings, NamespaceHolder } from '#builder/sandbox'
import { TsbuildError } from '#core'
import { type ContainerRecord, capabilitiesOf, type HostConfig } from '#engine/model'
import { parseSecurityOptions } from './checks/security-options.ts'

/** Finds the process of another container, whose namespaces are shared. @throws {TsbuildError} NOT_FOUND, CONFLICT */
export type FindHolder = (container: string) => NamespaceHolder

/** What a container has otherwise than a step of a build. @throws {TsbuildError} USAGE, NOT_FOUND, CONFLICT */
export function containerSettings(
  { config, hostConfig }: ContainerRecord,
  findHolder: FindHolder,
): ContainerSettings {
  const { Privileged, ReadonlyRootfs, GroupAdd, Sysctls, OomScoreAdj } = hostConfig
  const { MaskedPaths, ReadonlyPaths, Devices, DeviceCgroupRules } = hostConfig
  const settings: ContainerSettings = {
    ...(Privileged === true ? { privileged: true } : {}),
    capabilities: capabilitiesOf(hostConfig),
    readonlyRoot: ReadonlyRootfs === true,
    etc: 'mounted',
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    ...(GroupAdd === undefined ? {} : { groups: GroupAdd }),
    ...(Sysctls === undefined ? {} : { sysctls: Sysctls }),
    ...(OomScoreAdj ? { oomScoreAdj: OomScoreAdj } : {}),
    ...(MaskedPaths === undefined ? {} : { maskedPaths: MaskedPaths }),
    ...(ReadonlyPaths === undefined ? {} : { readonlyPaths: ReadonlyPaths }),
    ...(Devices === undefined ? {} : { devices: Devices.map(toDevice) }),
    ...(DeviceCgroupRules === undefined ? {} : { deviceRules: DeviceCgroupRules }),
    namespaces: namespacesOf(hostConfig, findHolder),
  }
  return { ...settings, ...parseSecurityOptions(hostConfig.SecurityOpt ?? []) }
}

function toDevice({
  PathOnHost = '',
  PathInContainer = '',
  CgroupPermissions = '',
}: NonNullable<HostConfig['Devices']>[number]): NonNullable<ContainerSettings['devices']>[number] {
  return {
    source: PathOnHost,
    target: PathInContainer === '' ? PathOnHost : PathInContainer,
    permissions: CgroupPermissions === '' ? 'rwm' : CgroupPermissions,
  }
}

function namespacesOf(
  { PidMode = '', IpcMode = '', UTSMode = '', CgroupnsMode = '' }: HostConfig,
  findHolder: FindHolder,
): NonNullable<ContainerSettings['namespaces']> {
  return {
    pid: sourceOf(PidMode, 'pid', findHolder),
    ipc: IpcMode === 'none' ? 'none' : sourceOf(IpcMode, 'ipc', findHolder),
    uts: sourceOf(UTSMode, 'uts', findHolder),
    cgroup: CgroupnsMode === 'host' ? 'host' : 'own',
  }
}

const OWN = new Set(['', 'private', 'shareable'])
const CONTAINER = 'container:'

function sourceOf(
  mode: string,
  what: string,
  findHolder: FindHolder,
): 'own' | 'host' | NamespaceHolder {
  if (mode === 'host') return 'host'
  if (mode.startsWith(CONTAINER)) return findHolder(mode.slice(CONTAINER.length))
  if (OWN.has(mode)) return 'own'
  throw new TsbuildError(`invalid ${what} mode: ${mode}`, { code: 'USAGE' })
}
