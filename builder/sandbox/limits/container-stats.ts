/** What a group uses at a moment, from the files of either version. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'
import type {
  ContainerUsage,
  CpuUsage,
  IoCount,
  IoUsage,
  MemoryUsage,
} from '../spec/container-usage.ts'
import type { CgroupDir } from './cgroup-dir.ts'

/** Limits of the first version above this are none. */
const UNLIMITED = 2 ** 60

/** Reads it; what the kernel does not count is left out. */
export function readUsage(directories: readonly CgroupDir[]): ContainerUsage {
  const files = new GroupFiles(directories)
  const cpu = cpuV1(files) ?? cpuV2(files)
  const memory = memoryV1(files) ?? memoryV2(files)
  const io = ioV1(files) ?? ioV2(files)
  const pids = pidsOf(files)
  return {
    ...(cpu && { cpu }),
    ...(memory && { memory }),
    ...(pids && { pids }),
    ...(io && { io }),
  }
}

/** The files of all directories of a group, by their names, which differ between controllers. */
class GroupFiles {
  readonly #directories: readonly CgroupDir[]

  constructor(directories: readonly CgroupDir[]) {
    this.#directories = directories
  }

  text(version: 1 | 2, file: string): string | undefined {
    for (const directory of this.#directories) {
      if (directory.version !== version) continue
      const text = readIfThere(join(directory.path, file))
      if (text !== undefined) return text
    }
    return undefined
  }

  number(version: 1 | 2, file: string): number | undefined {
    const text = this.text(version, file)?.trim()
    return text === undefined || text === 'max' ? undefined : Number(text)
  }

  /** Lines of a name and a number. */
  table(version: 1 | 2, file: string): Readonly<Record<string, number>> | undefined {
    const text = this.text(version, file)
    return text === undefined ? undefined : tableOf(text)
  }
}

function tableOf(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').map((line) => line.split(' '))
  return Object.fromEntries(
    lines.flatMap(([name = '', value = '']) => (value === '' ? [] : [[name, Number(value)]])),
  )
}

/** A file of a controller that is off, or of a group that is gone. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(errnoOf(cause) ?? '')) return undefined
    throw cause
  }
}

function cpuV1(files: GroupFiles): CpuUsage | undefined {
  const total = files.number(1, 'cpuacct.usage')
  if (total === undefined) return undefined
  const throttled = files.table(1, 'cpu.stat') ?? {}
  const perCpu = files.text(1, 'cpuacct.usage_percpu')?.trim().split(' ').map(Number)
  return {
    total,
    user: files.number(1, 'cpuacct.usage_user') ?? 0,
    system: files.number(1, 'cpuacct.usage_sys') ?? 0,
    ...(perCpu && { perCpu }),
    throttling: {
      periods: throttled.nr_periods ?? 0,
      throttledPeriods: throttled.nr_throttled ?? 0,
      throttledTime: throttled.throttled_time ?? 0,
    },
  }
}

function cpuV2(files: GroupFiles): CpuUsage | undefined {
  const stat = files.table(2, 'cpu.stat')
  if (stat?.usage_usec === undefined) return undefined
  const nanoseconds = (microseconds = 0): number => microseconds * 1000
  return {
    total: nanoseconds(stat.usage_usec),
    user: nanoseconds(stat.user_usec),
    system: nanoseconds(stat.system_usec),
    throttling: {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledTime: nanoseconds(stat.throttled_usec),
    },
  }
}

function memoryV1(files: GroupFiles): MemoryUsage | undefined {
  const usage = files.number(1, 'memory.usage_in_bytes')
  if (usage === undefined) return undefined
  const limit = files.number(1, 'memory.limit_in_bytes')
  const peak = files.number(1, 'memory.max_usage_in_bytes')
  const failures = files.number(1, 'memory.failcnt')
  return {
    usage,
    ...(limit !== undefined && limit < UNLIMITED && { limit }),
    ...(peak !== undefined && { peak }),
    ...(failures !== undefined && { failures }),
    stats: files.table(1, 'memory.stat') ?? {},
  }
}

function memoryV2(files: GroupFiles): MemoryUsage | undefined {
  const usage = files.number(2, 'memory.current')
  if (usage === undefined) return undefined
  const limit = files.number(2, 'memory.max')
  const peak = files.number(2, 'memory.peak')
  const failures = files.table(2, 'memory.events')?.max
  return {
    usage,
    ...(limit !== undefined && { limit }),
    ...(peak !== undefined && { peak }),
    ...(failures !== undefined && { failures }),
    stats: files.table(2, 'memory.stat') ?? {},
  }
}

function pidsOf(files: GroupFiles): ContainerUsage['pids'] {
  for (const version of [1, 2] as const) {
    const current = files.number(version, 'pids.current')
    if (current === undefined) continue
    const limit = files.number(version, 'pids.max')
    return { current, ...(limit !== undefined && { limit }) }
  }
  return undefined
}

function ioV1(files: GroupFiles): IoUsage | undefined {
  const read = (name: string): readonly IoCount[] | undefined => {
    const text = files.text(1, `blkio.${name}_recursive`)
    const usual = text === undefined || text.startsWith('Total') ? undefined : countsV1(text)
    // What the scheduler of a disk does not count, the limits do.
    return usual ?? countsV1(files.text(1, `blkio.throttle.${name}`))
  }
  const bytes = read('io_service_bytes')
  const operations = read('io_serviced')
  return bytes === undefined || operations === undefined ? undefined : { bytes, operations }
}

function countsV1(text: string | undefined): readonly IoCount[] | undefined {
  return text?.split('\n').flatMap((line) => {
    const [, major, minor, operation, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? []
    return operation === undefined || value === undefined
      ? []
      : [{ major: Number(major), minor: Number(minor), operation, value: Number(value) }]
  })
}

/** The keys of `io.stat`, and what they count. */
const OPERATIONS = { rbytes: 'read', wbytes: 'write', rios: 'read', wios: 'write' } as const

function ioV2(files: GroupFiles): IoUsage | undefined {
  const text = files.text(2, 'io.stat')
  if (text === undefined) return undefined
  const counts = (keys: readonly (keyof typeof OPERATIONS)[]): readonly IoCount[] =>
    text.split('\n').flatMap((line) => {
      const [device = '', ...pairs] = line.split(' ')
      const [major, minor] = device.split(':').map(Number)
      const values = new Map(pairs.map((pair) => pair.split('=') as [string, string]))
      if (major === undefined || minor === undefined) return []
      return keys.flatMap((key) => {
        const value = values.get(key)
        if (value === undefined) return []
        return [{ major, minor, operation: OPERATIONS[key], value: Number(value) }]
      })
    })
  return { bytes: counts(['rbytes', 'wbytes']), operations: counts(['rios', 'wios']) }
}
