import { existsSync, readFileSync, readlinkSync } from 'node:fs'

/** The namespaces that a machine starts with, by the kernel's numbers of them. */
const FIRST_NAMESPACES: Readonly<Record<string, string>> = {
  ipc: 'ipc:[4026531839]',
  uts: 'uts:[4026531838]',
  pid: 'pid:[4026531836]',
}

/** Files that engines put into containers; those that people work in have the last one. */
const MARKS = ['/.dockerenv', '/run/.containerenv']
const PERSONAL_MARK = '/run/.toolboxenv'

/** Files of every container that its engine mounts, and that no machine has as mounts. */
const MOUNTED_BY_ENGINES = ['/etc/hosts', '/etc/resolv.conf']

/**
 * Why the root file system of this process must not be replaced; `undefined` in a container that an
 * engine made from an image. A machine never passes, and neither does a container that is like one
 * (LXC, WSL) or that somebody works in (toolbox).
 */
export function whyNotInContainer(env: NodeJS.ProcessEnv): string | undefined {
  if (existsSync(PERSONAL_MARK)) return 'it is somebody’s tool box'
  if (isFirstNamespaces()) return 'this process is in the namespaces that the machine started with'
  const mounts = mountedPaths()
  const isMarked =
    MARKS.some((path) => existsSync(path)) ||
    env.KUBERNETES_SERVICE_HOST !== undefined ||
    MOUNTED_BY_ENGINES.every((path) => mounts.has(path))
  if (!isMarked) return 'no container engine has left a mark in it'
  return mounts.get('/') === 'whole' ? 'its root is a whole disk' : undefined
}

function isFirstNamespaces(): boolean {
  return Object.entries(FIRST_NAMESPACES).every(([kind, first]) => {
    return readlinkSync(`/proc/self/ns/${kind}`) === first
  })
}

/**
 * What is mounted where: a part of a file system or a union, as engines mount, or a whole one of a disk.
 * Spec: proc_pid_mountinfo(5)
 */
function mountedPaths(): ReadonlyMap<string, 'whole' | 'part'> {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [fields = '', source = ''] = line.split(' - ')
      const [, , , root = '', path = ''] = fields.split(' ')
      const isOfDisk = source.split(' ')[1]?.startsWith('/dev/') === true
      return [path, root === '/' && isOfDisk ? 'whole' : 'part'] as const
    }),
  )
}
