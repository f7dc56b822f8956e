import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StepUsage } from '#core'
import { type CgroupDir, readGroupFile, writeGroupFile } from './cgroup-dir.ts'

/** What the processes of a group have used since some moment, as far as the kernel counts it. */
export type GroupUsage = Partial<Pick<StepUsage, 'processor' | 'memory'>>

/** Starts counting; the result says what was used since then. */
export type UsageWatch = () => () => GroupUsage

/** Counts what a group uses. It serves one step at a time, and may serve many. */
export function usageWatch(directories: readonly CgroupDir[]): UsageWatch {
  let counters: Counters | undefined
  return () => {
    counters ??= findCounters(directories)
    const { processor, memory } = counters
    const before = processor?.()
    const peak = memory?.()
    return () => ({
      ...(processor === undefined ? {} : { processor: processor() - (before ?? 0) }),
      ...peak?.(),
    })
  }
}

interface Counters {
  /** Milliseconds in all. */
  readonly processor: (() => number) | undefined
  readonly memory: (() => () => Pick<GroupUsage, 'memory'>) | undefined
}

/** Which files a group has does not change. */
function findCounters(directories: readonly CgroupDir[]): Counters {
  // Some files of both versions have one name.
  const find = <T>(
    of: 1 | 2,
    file: string,
    use: (directory: string) => T,
  ): (() => T) | undefined => {
    const found = directories.find(({ version, path }) => {
      return version === of && existsSync(join(path, file))
    })
    return found && (() => use(found.path))
  }
  return {
    processor: find(1, 'cpuacct.usage', nanoseconds) ?? find(2, 'cpu.stat', microseconds),
    memory: find(1, 'memory.max_usage_in_bytes', resetMaximum) ?? find(2, 'memory.peak', risenPeak),
  }
}

function nanoseconds(directory: string): number {
  return Number(readGroupFile(directory, 'cpuacct.usage')) / 1e6
}

function microseconds(directory: string): number {
  const text = readGroupFile(directory, 'cpu.stat')
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? 0) / 1000
}

function resetMaximum(directory: string): () => Pick<GroupUsage, 'memory'> {
  const file = 'memory.max_usage_in_bytes'
  writeGroupFile(directory, file, '0')
  return () => ({ memory: Number(readGroupFile(directory, file)) })
}

/**
 * The peak of a group of the second version cannot be reset before Linux 6.12. One that an earlier step has
 * left says nothing about this one.
 */
function risenPeak(directory: string): () => Pick<GroupUsage, 'memory'> {
  const read = (): number => Number(readGroupFile(directory, 'memory.peak'))
  const before = read()
  return () => {
    const memory = read()
    return memory > before ? { memory } : {}
  }
}
