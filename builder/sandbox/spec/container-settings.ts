import type { NamespaceHolder, SharedKind } from './namespace-holder.ts'

/** What a container may have otherwise than a step of a build. Absent fields: as a step has it. */
export interface ContainerSettings {
  /**
   * All rights of Docker's `--privileged`: every capability, no filter, no security module, the host's devices,
   * nothing hidden or protected, control groups that can be written to.
   */
  readonly privileged?: boolean
  /** Names (`CAP_CHOWN`) of what its programs can have; those of root have them at once. */
  readonly capabilities?: readonly string[]
  /** Its programs get no more rights by set-uid files. */
  readonly noNewPrivileges?: boolean
  /** The filter of system calls. Default: that of steps, which lets the capabilities be used. */
  readonly seccomp?: 'default' | 'unconfined' | SeccompProfile
  /** A profile of AppArmor that is loaded, or `unconfined`. Without effect where the kernel has none. */
  readonly apparmor?: string
  /** Options of SELinux: `disable`, `type:…`, `level:…`, `user:…`, `role:…`. */
  readonly labels?: readonly string[]
  /** Its root cannot be written to; what is mounted in it can. */
  readonly readonlyRoot?: boolean
  /** Paths of the kernel's files that look empty; `[]`: none. */
  readonly maskedPaths?: readonly string[]
  /** Paths of the kernel's files that cannot be written to; `[]`: none. */
  readonly readonlyPaths?: readonly string[]
  readonly devices?: readonly DeviceSetting[]
  /** More that can be opened, as `c 1:3 rwm` with `*` for any number. */
  readonly deviceRules?: readonly string[]
  /** Supplementary groups, by name or number, besides those of its user. */
  readonly groups?: readonly string[]
  /** Settings of the kernel in its own namespaces: `net.ipv4.ip_forward` and the like. */
  readonly sysctls?: Readonly<Record<string, string>>
  /** How soon the kernel ends its processes when memory is short: -1000 to 1000. */
  readonly oomScoreAdj?: number
  readonly domainname?: string
  /** Default: its own. */
  readonly namespaces?: ContainerNamespaces
  /**
   * `mounted`: the mounts bring /etc/hosts, /etc/hostname and /etc/resolv.conf, which may change meanwhile.
   * Default: they are made.
   */
  readonly etc?: 'made' | 'mounted'
}

/** Where namespaces of a container come from: made for it, the host's, or another process's. */
export interface ContainerNamespaces
  extends Readonly<Partial<Record<Exclude<SharedKind, 'net' | 'ipc'>, NamespaceSource>>> {
  readonly cgroup?: 'own' | 'host'
  /** `none`: its own, without memory that is shared by name. */
  readonly ipc?: NamespaceSource | 'none'
}

/** Where one namespace comes from. */
export type NamespaceSource = 'own' | 'host' | NamespaceHolder

/** A device of the host in a container. */
export interface DeviceSetting {
  /** Absolute path of a device on the host. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  /** Some of `r`, `w` and `m` (to make others of its numbers). */
  readonly permissions: string
}

/** A profile of system calls as Docker and OCI runtimes take it: a document that nothing has checked. */
export interface SeccompProfile {
  readonly profile: unknown
}
