import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One process of this machine, distinct from a later one with the same id. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks since the machine started. */
  readonly started: string
}

/** `root` and everything that it started, directly or not. */
export function processTree(root: number): ProcessId[] {
  const children = Map.groupBy(allProcesses(), ({ parent }) => parent)
  const tree: ProcessId[] = []
  const visit = (process: ProcessId & { readonly parent: number }): void => {
    tree.push({ pid: process.pid, started: process.started })
    for (const child of children.get(process.pid) ?? []) visit(child)
  }
  for (const process of allProcesses()) if (process.pid === root) visit(process)
  return tree
}

/**
 * All processes but those that have ended: zombies, and a pid 1 that waits for the release of the last zombies in its
 * namespace. Some first processes of machines take seconds for that. Neither has memory.
 */
function allProcesses(): (ProcessId & { readonly parent: number })[] {
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : undefined
    if (stat === undefined) return []
    // The program's name, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, parent] = fields
    const memory = fields[20]
    if (state === 'Z' || state === 'X' || memory === '0') return []
    return [{ pid: Number(name), parent: Number(parent), started: fields[19] ?? '' }]
  })
}

/** The pid namespaces of these processes that are not the test's own. */
export function foreignPidNamespaces(processes: readonly ProcessId[]): ReadonlySet<string> {
  const own = readlinkSync('/proc/self/ns/pid')
  const found = processes.flatMap(({ pid }) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/pid`), readlinkSync(`/proc/${pid}/ns/pid_for_children`)]
    } catch {
      return []
    }
  })
  return new Set(found.filter((name) => name !== own && name !== ''))
}

/** Of `processes` those that live, and every other process in one of `namespaces`. */
export function survivors(
  processes: readonly ProcessId[],
  namespaces: ReadonlySet<string>,
): string[] {
  const known = new Set(processes.map(({ pid, started }) => `${pid} ${started}`))
  return allProcesses()
    .filter(({ pid, started }) => {
      if (known.has(`${pid} ${started}`)) return true
      const [namespace] = foreignPidNamespaces([{ pid, started }])
      return namespace !== undefined && namespaces.has(namespace)
    })
    .map(({ pid }) => `${pid} ${(read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ')}`)
}

/** False for a process that was forked and has not executed its program yet: its memory is its parent's. */
export function hasOwnMemory(pid: number): boolean {
  const parent = /^PPid:\t(\d+)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  const command = read(`/proc/${pid}/cmdline`)
  return command !== undefined && command !== read(`/proc/${parent}/cmdline`)
}

/** Mounts, in any mount namespace of this machine, whose description mentions `path`. */
export function mountsOf(path: string): string[] {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => (read(`/proc/${name}/mountinfo`) ?? '').split('\n'))
  return [...new Set(lines.filter((line) => line.includes(path)))]
}

/** Directories of control groups that a builder holds. */
export function groupsOf(builder: number): readonly string[] {
  if (!existsSync(`/proc/${builder}/fd`)) return []
  return readdirSync(`/proc/${builder}/fd`).flatMap((name) => {
    try {
      const path = readlinkSync(`/proc/${builder}/fd/${name}`)
      return /^\/sys\/fs\/cgroup\/.*\/tsbuild-[0-9a-z]{12}$/.test(path) ? [path] : []
    } catch {
      return []
    }
  })
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process has ended.
    return undefined
  }
}
