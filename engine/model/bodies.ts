import type { Healthcheck, Json } from '#core'

/** What a container runs. Spec: Docker Engine API, ContainerConfig */
export interface Config {
  readonly Hostname?: string
  readonly Domainname?: string
  readonly User?: string
  readonly AttachStdin?: boolean
  readonly AttachStdout?: boolean
  readonly AttachStderr?: boolean
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Tty?: boolean
  readonly OpenStdin?: boolean
  readonly StdinOnce?: boolean
  readonly Env?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Healthcheck?: Healthcheck
  readonly ArgsEscaped?: boolean
  readonly Image?: string
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
  readonly WorkingDir?: string
  readonly Entrypoint?: readonly string[]
  readonly NetworkDisabled?: boolean
  readonly MacAddress?: string
  readonly OnBuild?: readonly string[]
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly StopTimeout?: number
  readonly Shell?: readonly string[]
}

/** Where a port of a container is published. */
export interface PortBinding {
  readonly HostIp?: string
  readonly HostPort?: string
}

/** A mount as `HostConfig.Mounts` asks for it. Spec: Docker Engine API, Mount */
export interface MountRequest {
  readonly Type?: string
  readonly Source?: string
  readonly Target?: string
  readonly ReadOnly?: boolean
  readonly Consistency?: string
  readonly BindOptions?: {
    readonly Propagation?: string
    readonly NonRecursive?: boolean
    readonly CreateMountpoint?: boolean
    readonly ReadOnlyNonRecursive?: boolean
    readonly ReadOnlyForceRecursive?: boolean
  }
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean
    readonly Labels?: Readonly<Record<string, string>>
    readonly Subpath?: string
    readonly DriverConfig?: {
      readonly Name?: string
      readonly Options?: Readonly<Record<string, string>>
    }
  }
  readonly ImageOptions?: { readonly Subpath?: string }
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number
    readonly Mode?: number
    readonly Options?: readonly (readonly string[])[]
  }
}

/** Bytes or operations in a second. */
export interface DeviceLimit {
  readonly Path?: string
  readonly Rate?: number
}

/** When a container is started again. */
export interface RestartPolicy {
  readonly Name?: string
  readonly MaximumRetryCount?: number
}

/** Limits of a container. Spec: Docker Engine API, Resources */
export interface ResourceConfig {
  readonly CpuShares?: number
  readonly Memory?: number
  readonly NanoCpus?: number
  readonly CgroupParent?: string
  readonly BlkioWeight?: number
  readonly BlkioWeightDevice?: readonly { readonly Path?: string; readonly Weight?: number }[]
  readonly BlkioDeviceReadBps?: readonly DeviceLimit[]
  readonly BlkioDeviceWriteBps?: readonly DeviceLimit[]
  readonly BlkioDeviceReadIOps?: readonly DeviceLimit[]
  readonly BlkioDeviceWriteIOps?: readonly DeviceLimit[]
  readonly CpuPeriod?: number
  readonly CpuQuota?: number
  readonly CpuRealtimePeriod?: number
  readonly CpuRealtimeRuntime?: number
  readonly CpusetCpus?: string
  readonly CpusetMems?: string
  readonly Devices?: readonly {
    readonly PathOnHost?: string
    readonly PathInContainer?: string
    readonly CgroupPermissions?: string
  }[]
  readonly DeviceCgroupRules?: readonly string[]
  readonly DeviceRequests?: readonly Json[]
  readonly KernelMemory?: number
  readonly KernelMemoryTCP?: number
  readonly MemoryReservation?: number
  readonly MemorySwap?: number
  readonly MemorySwappiness?: number
  readonly OomKillDisable?: boolean
  readonly PidsLimit?: number
  readonly Ulimits?: readonly {
    readonly Name?: string
    readonly Soft?: number
    readonly Hard?: number
  }[]
  readonly CpuCount?: number
  readonly CpuPercent?: number
  readonly IOMaximumIOps?: number
  readonly IOMaximumBandwidth?: number
}

/** How a container is run on this machine. Spec: Docker Engine API, HostConfig */
export interface HostConfig extends ResourceConfig {
  readonly Binds?: readonly string[]
  readonly ContainerIDFile?: string
  readonly LogConfig?: {
    readonly Type?: string
    readonly Config?: Readonly<Record<string, string>>
  }
  readonly NetworkMode?: string
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[]>>
  readonly RestartPolicy?: RestartPolicy
  readonly AutoRemove?: boolean
  readonly VolumeDriver?: string
  readonly VolumesFrom?: readonly string[]
  readonly Mounts?: readonly MountRequest[]
  readonly ConsoleSize?: readonly number[]
  readonly Annotations?: Readonly<Record<string, string>>
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly CgroupnsMode?: string
  readonly Dns?: readonly string[]
  readonly DnsOptions?: readonly string[]
  readonly DnsSearch?: readonly string[]
  readonly ExtraHosts?: readonly string[]
  readonly GroupAdd?: readonly string[]
  readonly IpcMode?: string
  readonly Cgroup?: string
  readonly Links?: readonly string[]
  readonly OomScoreAdj?: number
  readonly PidMode?: string
  readonly Privileged?: boolean
  readonly PublishAllPorts?: boolean
  readonly ReadonlyRootfs?: boolean
  readonly SecurityOpt?: readonly string[]
  readonly StorageOpt?: Readonly<Record<string, string>>
  readonly Tmpfs?: Readonly<Record<string, string>>
  readonly UTSMode?: string
  readonly UsernsMode?: string
  readonly ShmSize?: number
  readonly Sysctls?: Readonly<Record<string, string>>
  readonly Runtime?: string
  readonly Isolation?: string
  readonly Init?: boolean
  readonly MaskedPaths?: readonly string[]
  readonly ReadonlyPaths?: readonly string[]
}

/** How a container is connected to one network. Spec: Docker Engine API, EndpointSettings */
export interface EndpointConfig {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string
    readonly IPv6Address?: string
    readonly LinkLocalIPs?: readonly string[]
  }
  readonly Links?: readonly string[]
  readonly Aliases?: readonly string[]
  readonly MacAddress?: string
  readonly DriverOpts?: Readonly<Record<string, string>>
  readonly GwPriority?: number
  readonly NetworkID?: string
}

/** The body of POST /containers/create. */
export interface CreateBody extends Config {
  readonly HostConfig?: HostConfig
  readonly NetworkingConfig?: {
    readonly EndpointsConfig?: Readonly<Record<string, EndpointConfig>>
  }
}

/** The body of POST /containers/{id}/update. */
export interface UpdateBody extends ResourceConfig {
  readonly RestartPolicy?: RestartPolicy
}

/** The body of POST /containers/{id}/exec. */
export interface ExecBody {
  readonly User?: string
  readonly Privileged?: boolean
  readonly Tty?: boolean
  readonly ConsoleSize?: readonly number[]
  readonly AttachStdin?: boolean
  readonly AttachStderr?: boolean
  readonly AttachStdout?: boolean
  readonly Detach?: boolean
  readonly DetachKeys?: string
  readonly Env?: readonly string[]
  readonly WorkingDir?: string
  readonly Cmd?: readonly string[]
}
