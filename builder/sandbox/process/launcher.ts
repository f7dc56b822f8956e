import { writeFileSync } from 'node:fs'
import { getResourceLimit, type ResourceLimit, unshareWorkingDirectory } from '#builder/linux'
import { type CgroupDir, entranceOf } from '../limits/cgroup-dir.ts'

/** The control groups of one step. */
export interface LaunchGroup {
  readonly directories: readonly CgroupDir[]
  /** Whether it goes with the step: then the launcher itself never enters it. */
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

  /**
   * Goes to the groups of steps that share them, and stays there.
   * @returns the groups that a process which it starts has to enter by itself
   */
  joinShared({ directories, isOfStep }: LaunchGroup): readonly CgroupDir[] {
    if (isOfStep) return directories
    this.#enter(directories)
    return directories.filter(({ version }) => version === 2)
  }

  /**
   * Puts the calling thread, and only it, into groups of the first version: what it starts is in them,
   * too. Groups of the second version take no single threads.
   */
  #enter(directories: readonly CgroupDir[]): void {
    if (directories.every(({ path }, index) => path === this.#joined[index]?.path)) return
    for (const directory of directories) {
      if (directory.version === 1) writeFileSync(entranceOf(directory), '0')
    }
    this.#joined = directories
  }
}
