import { readFileSync } from 'node:fs'

/** Milliseconds of a clock tick, in which the kernel gives times of processes to all programs. */
const TICK = 10

/** Positions in /proc/self/stat behind the name of the program. Spec: proc_pid_stat(5) */
const [CHILDREN_USER, CHILDREN_SYSTEM, START] = [13, 14, 19]

/** Processor time, milliseconds. */
export interface ProcessorTime {
  /** Of all threads of this process. */
  readonly own: number
  /** Of the programs that it has started and whose end it has seen: steps, with their descendants. */
  readonly others: number
}

/**
 * When this process has started, as events have times. Before Node there may have been a shell, or the same
 * program without a user namespace: the kernel knows, to a tick. Never earlier than it was.
 */
export function processStart(): number {
  const uptime = Number(readFact('/proc/uptime').split(' ')[0]) * 1000
  const age = uptime - (statFields()[START] ?? 0) * TICK - TICK
  // A container may have an uptime of its own.
  return performance.timeOrigin - Math.max(0, age - performance.now())
}

/** The processor time so far. */
export function processorTime(): ProcessorTime {
  const { user, system } = process.cpuUsage()
  const fields = statFields()
  const others = ((fields[CHILDREN_USER] ?? 0) + (fields[CHILDREN_SYSTEM] ?? 0)) * TICK
  return { own: (user + system) / 1000, others }
}

function statFields(): readonly number[] {
  const text = readFact('/proc/self/stat')
  // The name is in parentheses, and may have any in it.
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** Empty where there is no such file. */
function readFact(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
