import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Microseconds in which something waited, each since some time in the past: one for each group of processes. */
export interface PressureTotals {
  readonly cpu: readonly number[]
  readonly memory: readonly number[]
}

/** Reads the totals of now. */
export type PressureSource = () => PressureTotals

/** Where the totals come from. */
interface SourceOptions {
  readonly processors: number
  /** Where the machine's files are; default: `/`. */
  readonly root?: string
  /** Milliseconds. */
  readonly now?: () => number
}

/** Where control groups of the second version are mounted: alone, or beside those of the first. */
const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']

/**
 * The pressure on the processors and the memory, wherever the kernel tells it; else that on the processors
 * by the number of processes that could run. In a container it is that of the container: what it may have
 * is limited, and how long others wait is not its concern. On a machine steps may be in other control
 * groups than this process, so the whole machine counts as well.
 * Spec: Documentation/accounting/psi.rst, Documentation/admin-guide/cgroup-v2.rst
 */
export function pressureSource(options: SourceOptions): PressureSource {
  const { root = '/' } = options
  const [cpu, memory] = [filesOf('cpu', root), filesOf('memory', root)]
  const readAll = (paths: readonly string[]): number[] => paths.map((path) => readTotal(path) ?? 0)
  if (cpu.length > 0) return () => ({ cpu: readAll(cpu), memory: readAll(memory) })
  const load = loadTotal(options)
  return () => ({ cpu: [load()], memory: readAll(memory) })
}

function filesOf(kind: 'cpu' | 'memory', root: string): readonly string[] {
  const group = ownGroup(root)
  const readable = (paths: readonly string[]): readonly string[] =>
    paths.map((path) => join(root, path)).filter((path) => readTotal(path) !== undefined)
  const own = readable(GROUPS.map((mount) => join(mount, group ?? '/', `${kind}.pressure`)))
  // All that this process can see of groups.
  return group === '/' && own.length > 0 ? own : [...readable([`/proc/pressure/${kind}`]), ...own]
}

/** Of the second version; in a container usually `/`. */
function ownGroup(root: string): string | undefined {
  return /^0::(.*)$/m.exec(readIfThere(join(root, '/proc/self/cgroup')) ?? '')?.[1]
}

/** `undefined` where the kernel does not count. */
function readTotal(path: string): number | undefined {
  const total = /^some .*\btotal=(\d+)/m.exec(readIfThere(path) ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
}

/**
 * Adds up, over the times between its calls, how many processes could have run on another processor if
 * there were twice as many.
 */
function loadTotal({
  processors,
  root = '/',
  now = () => performance.now(),
}: SourceOptions): () => number {
  let total = 0
  let last = now()
  return () => {
    const time = now()
    const text = readIfThere(join(root, '/proc/loadavg')) ?? ''
    // Without this process, which reads the file.
    const runnable = Number(/ (\d+)\/\d+ /.exec(text)?.[1] ?? 1) - 1
    const share = Math.min(Math.max(runnable / processors - 1, 0), 1)
    total += share * (time - last) * 1000
    last = time
    return total
  }
}

/** A kernel may have the file and refuse to read it. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
