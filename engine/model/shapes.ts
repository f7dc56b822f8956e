import { type Healthcheck, type Shape, shapes } from '#core'
import type {
  Config,
  CreateBody,
  EndpointConfig,
  ExecBody,
  HostConfig,
  UpdateBody,
} from './bodies.ts'

const { any, boolean, integer, list, map, object, string } = shapes

/** A list of words, or one word: as Go's strslice reads it. */
const words: Shape<readonly string[]> = {
  empty: [],
  read: (cursor) => (cursor.first === '"' ? [cursor.string()] : list(string).read(cursor)),
}

const HEALTHCHECK_SHAPE: Shape<Healthcheck> = object({
  Test: list(string),
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
})

const CONFIG_FIELDS = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: map(object({})),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: list(string),
  Cmd: words,
  Healthcheck: HEALTHCHECK_SHAPE,
  ArgsEscaped: boolean,
  Image: string,
  Volumes: map(object({})),
  WorkingDir: string,
  Entrypoint: words,
  NetworkDisabled: boolean,
  MacAddress: string,
  OnBuild: list(string),
  Labels: map(string),
  StopSignal: string,
  StopTimeout: integer,
  Shell: words,
} as const

const PORT_BINDING = object({ HostIp: string, HostPort: string })

const MOUNT = object({
  Type: string,
  Source: string,
  Target: string,
  ReadOnly: boolean,
  Consistency: string,
  BindOptions: object({
    Propagation: string,
    NonRecursive: boolean,
    CreateMountpoint: boolean,
    ReadOnlyNonRecursive: boolean,
    ReadOnlyForceRecursive: boolean,
  }),
  VolumeOptions: object({
    NoCopy: boolean,
    Labels: map(string),
    Subpath: string,
    DriverConfig: object({ Name: string, Options: map(string) }),
  }),
  ImageOptions: object({ Subpath: string }),
  TmpfsOptions: object({ SizeBytes: integer, Mode: integer, Options: list(list(string)) }),
})

const DEVICE_LIMIT = object({ Path: string, Rate: integer })

const RESOURCE_FIELDS = {
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: string,
  BlkioWeight: integer,
  BlkioWeightDevice: list(object({ Path: string, Weight: integer })),
  BlkioDeviceReadBps: list(DEVICE_LIMIT),
  BlkioDeviceWriteBps: list(DEVICE_LIMIT),
  BlkioDeviceReadIOps: list(DEVICE_LIMIT),
  BlkioDeviceWriteIOps: list(DEVICE_LIMIT),
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(object({ PathOnHost: string, PathInContainer: string, CgroupPermissions: string })),
  DeviceCgroupRules: list(string),
  DeviceRequests: list(any),
  KernelMemory: integer,
  KernelMemoryTCP: integer,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: integer,
  OomKillDisable: boolean,
  PidsLimit: integer,
  Ulimits: list(object({ Name: string, Soft: integer, Hard: integer })),
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
} as const

const RESTART_POLICY = object({ Name: string, MaximumRetryCount: integer })

const HOST_CONFIG_FIELDS = {
  ...RESOURCE_FIELDS,
  Binds: list(string),
  ContainerIDFile: string,
  LogConfig: object({ Type: string, Config: map(string) }),
  NetworkMode: string,
  PortBindings: map(list(PORT_BINDING)),
  RestartPolicy: RESTART_POLICY,
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: list(string),
  Mounts: list(MOUNT),
  ConsoleSize: list(integer),
  Annotations: map(string),
  CapAdd: words,
  CapDrop: words,
  CgroupnsMode: string,
  Dns: list(string),
  DnsOptions: list(string),
  DnsSearch: list(string),
  ExtraHosts: list(string),
  GroupAdd: list(string),
  IpcMode: string,
  Cgroup: string,
  Links: list(string),
  OomScoreAdj: integer,
  PidMode: string,
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: list(string),
  StorageOpt: map(string),
  Tmpfs: map(string),
  UTSMode: string,
  UsernsMode: string,
  ShmSize: integer,
  Sysctls: map(string),
  Runtime: string,
  Isolation: string,
  Init: boolean,
  MaskedPaths: list(string),
  ReadonlyPaths: list(string),
} as const

export const ENDPOINT_SHAPE: Shape<EndpointConfig> = object({
  IPAMConfig: object({ IPv4Address: string, IPv6Address: string, LinkLocalIPs: list(string) }),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  DriverOpts: map(string),
  GwPriority: integer,
  NetworkID: string,
})

export const CONFIG_SHAPE: Shape<Config> = object(CONFIG_FIELDS)

const HOST_CONFIG_SHAPE: Shape<HostConfig> = object(HOST_CONFIG_FIELDS)

/** The body of POST /containers/create. */
export const CREATE_SHAPE: Shape<CreateBody> = object({
  ...CONFIG_FIELDS,
  HostConfig: HOST_CONFIG_SHAPE,
  NetworkingConfig: object({ EndpointsConfig: map(ENDPOINT_SHAPE) }),
})

/** The body of POST /containers/{id}/update. */
export const UPDATE_SHAPE: Shape<UpdateBody> = object({
  ...RESOURCE_FIELDS,
  RestartPolicy: RESTART_POLICY,
})

/** The body of POST /containers/{id}/exec. */
export const EXEC_SHAPE: Shape<ExecBody> = object({
  User: string,
  Privileged: boolean,
  Tty: boolean,
  ConsoleSize: list(integer),
  AttachStdin: boolean,
  AttachStderr: boolean,
  AttachStdout: boolean,
  Detach: boolean,
  DetachKeys: string,
  Env: list(string),
  WorkingDir: string,
  Cmd: words,
})
