import { writeFileSync } from 'node:fs'
import { getResourceLimit, type ResourceLimit, unshareWorkingDirectory } from '#builder/linux'
import { type CgroupDir, entranceOf } from '../limits/cgroup-dir.ts'

/** The control groups of one step. */
export interface LaunchGroup {
  readonly directories: readonly CgroupDir[]
  /** Whether it goes with the step: then the launcher leaves it at once. */
  readonly isOfStep: boolean
}

/** A thread that starts processes, one after the other. */
export class Launcher {
  readonly openFiles: ResourceLimit
  /** The control groups that it is in, and so all that it starts. */
  #joined: readonly CgroupDir[] = []

  /** Prepares the calling thread once for all steps that it will start. */
  constructor(cgroups: readonly CgroupDir[]) {
    unshareWorkingDirectory()
    this.openFiles = getResourceLimit(0, 'nofile')
    this.#enter(cgroups)
  }

  /** Goes to other control groups, and stays there. */
  #enter(directories: readonly CgroupDir[]): void {
    if (this.#isIn(directories)) return
    this.#join(directories)
    this.#joined = directories
  }

  /** Does `action` in the control groups of a step. */
  inGroup<T>({ directories, isOfStep }: LaunchGroup, action: () => T): T {
    if (!isOfStep) {
      this.#enter(directories)
      return action()
    }
    try {
      this.#join(directories)
      return action()
    } finally {
      this.#leave(directories)
    }
  }

  #isIn(directories: readonly CgroupDir[]): boolean {
    return directories.every(({ path }, index) => path === this.#joined[index]?.path)
  }

  /** To where it was before. */
  #leave(directories: readonly CgroupDir[]): void {
    const before = directories.map((directory) => {
      const joined = this.#joined.find(({ mount }) => mount === directory.mount)
      return { ...directory, path: joined?.path ?? directory.home }
    })
    this.#join(before)
  }

  /**
   * Puts the calling thread, and only it, into groups of the first version: what it starts is in them,
   * too. Groups of the second version take no single threads.
   */
  #join(directories: readonly CgroupDir[]): void {
    for (const directory of directories) {
      if (directory.version === 1) writeFileSync(entranceOf(directory), '0')
    }
  }
}
