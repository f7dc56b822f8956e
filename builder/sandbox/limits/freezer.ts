/** Stopping all processes of a group, which notice nothing of it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { TsbuildError } from '#core'
import { type CgroupDir, readGroupFile, writeGroupFile } from './cgroup-dir.ts'

/** How a version of control groups stops processes, and what says that they are. */
const FILES = {
  1: {
    ...{ file: 'freezer.state', on: 'FROZEN', off: 'THAWED' },
    ...{ stateFile: 'freezer.state', stopped: /^FROZEN$/m },
  },
  2: {
    ...{ file: 'cgroup.freeze', on: '1', off: '0' },
    ...{ stateFile: 'cgroup.events', stopped: /^frozen 1$/m },
  },
} as const

/** Milliseconds. */
const PATIENCE = 10_000
const PAUSE = 2

/**
 * Stops all in a group.
 * @returns when nothing in it runs
 * @throws {TsbuildError} UNSUPPORTED where no directory of it can, STEP_FAILED when it takes too long: then nothing
 *   is stopped
 */
export async function freeze(directories: readonly CgroupDir[]): Promise<void> {
  const { path, version } = freezerOf(directories)
  const { file, on, stateFile, stopped } = FILES[version]
  const deadline = performance.now() + PATIENCE
  writeGroupFile(path, file, on)
  while (!stopped.test(readGroupFile(path, stateFile))) {
    if (performance.now() > deadline) {
      thaw(directories)
      throw new TsbuildError('stop the processes: the kernel takes too long', {
        code: 'STEP_FAILED',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
    // The first version forgets processes that were started meanwhile.
    if (version === 1) writeGroupFile(path, file, on)
  }
}

/** Lets all in a group go on. @throws {TsbuildError} UNSUPPORTED */
export function thaw(directories: readonly CgroupDir[]): void {
  const { path, version } = freezerOf(directories)
  const { file, off } = FILES[version]
  writeGroupFile(path, file, off)
}

function freezerOf(directories: readonly CgroupDir[]): CgroupDir {
  const found = directories.find(({ version, path }) => existsSync(join(path, FILES[version].file)))
  if (found !== undefined) return found
  throw new TsbuildError('stop processes: their control groups have no freezer', {
    code: 'UNSUPPORTED',
    hint: 'use a machine with control groups of the second version, or with a freezer of the first',
  })
}
