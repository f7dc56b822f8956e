/** The processes of a group and of those below it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'
import { sendSignal } from '../children/shared-child.ts'
import { type CgroupDir, readGroupFile, writeGroupFile } from './cgroup-dir.ts'
import { freeze } from './freezer.ts'
import { enderFiles } from './group-ends.ts'

/** Pids on the host. */
export function processesOf(directories: readonly CgroupDir[]): readonly number[] {
  const [directory] = directories
  return directory === undefined ? [] : processesBelow(directory.path)
}

function processesBelow(path: string): readonly number[] {
  try {
    const own = readGroupFile(path, 'cgroup.procs').split('\n').filter(Boolean).map(Number)
    const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...own, ...below.flatMap(({ name }) => processesBelow(join(path, name)))]
  } catch (cause) {
    // Groups are the container's to remove, where it may write to them.
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENODEV') return []
    throw cause
  }
}

/** Milliseconds. */
const PATIENCE = 10_000
const PAUSE = 5

/** Ends all processes of a group that belong to no pid namespace of it. @returns when there are none */
export async function endProcesses(directories: readonly CgroupDir[]): Promise<void> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    if (processesOf(directories).length === 0) return
    await endOnce(directories)
    if (performance.now() > deadline) return
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

async function endOnce(directories: readonly CgroupDir[]): Promise<void> {
  const ends = enderFiles(directories)
  if (!ends.some(({ path }) => path.endsWith('/cgroup.kill'))) {
    // While they are stopped, none of their numbers becomes another process's.
    await freeze(directories).catch(() => undefined)
    for (const pid of processesOf(directories)) sendSignal(pid, 'SIGKILL')
  }
  for (const { path, text } of ends) {
    const slash = path.lastIndexOf('/')
    writeGroupFile(path.slice(0, slash), path.slice(slash + 1), text)
  }
}
