/** What the processes of a container use together, as far as the kernel counts it. */
export interface ContainerUsage {
  readonly cpu?: CpuUsage
  readonly memory?: MemoryUsage
  readonly pids?: { readonly current: number; readonly limit?: number }
  readonly io?: IoUsage
}

/** Nanoseconds since the container was started. */
export interface CpuUsage {
  readonly total: number
  readonly user: number
  readonly system: number
  /** For each CPU, where the kernel tells. */
  readonly perCpu?: readonly number[]
  /** How often it was stopped because of its quota. */
  readonly throttling: {
    readonly periods: number
    readonly throttledPeriods: number
    readonly throttledTime: number
  }
}

/** Bytes. */
export interface MemoryUsage {
  readonly usage: number
  /** Absent: as much as the machine has. */
  readonly limit?: number
  /** The most that it was. */
  readonly peak?: number
  /** How often it reached the limit. */
  readonly failures?: number
  /** The kernel's own counters by their names. */
  readonly stats: Readonly<Record<string, number>>
}

/** What was read from and written to block devices. */
export interface IoUsage {
  readonly bytes: readonly IoCount[]
  readonly operations: readonly IoCount[]
}

/** One counter of one device. */
export interface IoCount {
  readonly major: number
  readonly minor: number
  /** As the kernel names it: `Read`, `Write`, `Sync` … (lower case on the second version of control groups). */
  readonly operation: string
  readonly value: number
}
