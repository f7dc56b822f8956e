import { existsSync, readFileSync, readlinkSync } from 'node:fs'

/** The namespaces that a machine starts with, by the kernel's numbers of them. */
const FIRST_NAMESPACES: Readonly<Record<string, string>> = {
  ipc: 'ipc:[4026531839]',
  pid: 'pid:[4026531836]',
  uts: 'uts:[4026531838]',
}

/** Files that engines put into containers, and one of those that people work in. */
const MARKS = ['/.dockerenv', '/run/.containerenv']
const PERSONAL_MARK = '/run/.toolboxenv'

/** Files of every container that its engine mounts, and that no machine has as mounts. */
const MOUNTED_BY_ENGINES = ['/etc/hosts', '/etc/resolv.conf']

/** What tells a container from a machine. */
export interface Surroundings {
  readonly exists: (path: string) => boolean
  /** The link of a namespace of this process: `pid`. */
  readonly namespace: (kind: string) => string
  /** /proc/self/mountinfo */
  readonly mounts: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Why the root file system of this process must not be replaced; `undefined` in a container that an
 * engine made from an image. A machine never passes, and neither does a container that is like one
 * (LXC, WSL) or that somebody works in (toolbox).
 */
export function whyNotInContainer({
  exists,
  namespace,
  mounts,
  env,
}: Surroundings): string | undefined {
  if (exists(PERSONAL_MARK)) return 'it is a toolbox that somebody works in'
  if (Object.entries(FIRST_NAMESPACES).every(([kind, first]) => namespace(kind) === first)) {
    return 'this process is in the namespaces that the machine started with'
  }
  const mounted = mountedPaths(mounts)
  const isMarked =
    MARKS.some(exists) ||
    env.KUBERNETES_SERVICE_HOST !== undefined ||
    MOUNTED_BY_ENGINES.every((path) => mounted.has(path))
  if (!isMarked) return 'no container engine has left a mark in it'
  return mounted.get('/') === 'whole' ? 'its root is a whole disk' : undefined
}

/** Those of this process. */
export function readSurroundings(env: NodeJS.ProcessEnv): Surroundings {
  return {
    exists: existsSync,
    namespace: (kind) => readlinkSync(`/proc/self/ns/${kind}`),
    mounts: readFileSync('/proc/self/mountinfo', 'latin1'),
    env,
  }
}

/**
 * What is mounted where: a part of a file system or a union, as engines mount, or a whole one of a disk.
 * Spec: proc_pid_mountinfo(5)
 */
function mountedPaths(mounts: string): ReadonlyMap<string, 'whole' | 'part'> {
  return new Map(
    mounts
      .trim()
      .split('\n')
      .map((line) => {
        const [fields = '', source = ''] = line.split(' - ')
        const [, , , root = '', path = ''] = fields.trim().split(' ')
        const isOfDisk = source.split(' ')[1]?.startsWith('/dev/') === true
        return [path, root === '/' && isOfDisk ? 'whole' : 'part'] as const
      }),
  )
}
