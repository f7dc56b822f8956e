import type { Json, JsonObject } from '#core'
import {
  type ContainerRecord,
  EMPTY_CONFIG,
  type HostConfig,
  hostnameOf,
  mountPointsOf,
  NO_TIME,
  parseLink,
} from '#engine/model'
import { commandOf } from './container-spec.ts'

/** What inspecting a container shows besides its record. */
export interface InspectInputs {
  /** `NetworkSettings` */
  readonly network: JsonObject
  /** Ids of what runs beside its program. */
  readonly execs: readonly string[]
  /** `State.Health`, where it is tested. */
  readonly health: JsonObject | undefined
  readonly paths: ContainerPaths
}

/** Where files of a container are on this machine. */
export interface ContainerPaths {
  readonly log: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** The document of GET /containers/{id}/json. Spec: Docker Engine API, ContainerInspectResponse */
export function inspectContainer(
  record: ContainerRecord,
  { network, execs, health, paths }: InspectInputs,
): JsonObject {
  const { id, name, created, config, image, restartCount } = record
  const [path = '', ...args] = commandOf(config)
  return {
    Id: id,
    Created: created,
    Path: path,
    Args: args,
    State: stateOf(record, health),
    Image: image.id,
    ...pathsOf(record, paths),
    Name: `/${name}`,
    RestartCount: restartCount,
    Driver: 'overlay2',
    Platform: image.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execs.length === 0 ? null : execs,
    HostConfig: hostConfigOf(record),
    GraphDriver: { Name: 'overlay2', Data: null },
    Mounts: mountPointsOf(record) as unknown as Json,
    Config: configOf(record),
    NetworkSettings: network,
  }
}

/** Files are made when it is started. */
function pathsOf({ state }: ContainerRecord, paths: ContainerPaths): JsonObject {
  const isMade = state.startedAt !== NO_TIME
  return {
    ResolvConfPath: isMade ? paths.resolvConf : '',
    HostnamePath: isMade ? paths.hostname : '',
    HostsPath: isMade ? paths.hosts : '',
    LogPath: isMade ? paths.log : '',
  }
}

function stateOf({ state }: ContainerRecord, health: JsonObject | undefined): JsonObject {
  const { status } = state
  return {
    Status: status,
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.isOutOfMemory,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health === undefined ? {} : { Health: health }),
  }
}

function configOf({ id, config }: ContainerRecord): JsonObject {
  const defaults = { ...EMPTY_CONFIG, Hostname: hostnameOf(id, config), Env: [], Labels: {} }
  const set = Object.entries(config).filter(
    ([name, value]) => (value !== '' && !isEmpty(value)) || name === 'Labels',
  )
  return { ...defaults, ...(Object.fromEntries(set) as JsonObject) }
}

const HOST_DEFAULTS: JsonObject = {
  Binds: null,
  ContainerIDFile: '',
  NetworkMode: 'bridge',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'host',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 64 * 1024 * 1024,
  Runtime: 'runc',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
}

function hostConfigOf({ hostConfig: config, name }: ContainerRecord): JsonObject {
  const set = Object.entries(config).filter(([name, value]) => !isDefault(name, value))
  const { Type = '', Config = {} } = config.LogConfig ?? {}
  return {
    ...HOST_DEFAULTS,
    ...(config.Privileged === true ? {} : KERNEL_PATHS),
    ...(Object.fromEntries(set) as JsonObject),
    Links: linksOf(config, name),
    LogConfig: { Type: Type === '' ? 'json-file' : Type, Config },
  }
}

/** Those of the default bridge; others are of its networks. */
function linksOf({ Links = [], NetworkMode = '' }: HostConfig, name: string): Json {
  const isOfBridge = ['', 'default', 'bridge'].includes(NetworkMode)
  if (!isOfBridge || Links.length === 0) return null
  return Links.map((text) => {
    const [target, alias] = parseLink(text)
    return `/${target}:/${name}/${alias}`
  })
}

/** What is hidden and protected unless the request says otherwise. Spec: moby's OCI defaults */
const KERNEL_PATHS: JsonObject = {
  MaskedPaths: [
    ...['/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys'],
    ...['/proc/latency_stats', '/proc/sched_debug', '/proc/scsi', '/proc/timer_list'],
    ...['/proc/timer_stats', '/sys/devices/virtual/powercap', '/sys/firmware'],
  ],
  ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** What clients send for nothing. */
function isDefault(name: string, value: unknown): boolean {
  if (value === '' || value === 0) return true
  // -1 is what clients say for none.
  if (name === 'MemorySwappiness' && value === -1) return true
  if (name === 'RestartPolicy') return ((value as { Name?: string }).Name ?? '') === ''
  return false
}
