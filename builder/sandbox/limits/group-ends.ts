/** Ending all processes of a group at once, also those that are stopped. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CgroupDir } from './cgroup-dir.ts'

/** A file of a group, and what is written to it. */
export interface GroupWrite {
  readonly path: string
  readonly text: string
}

/** What ends all that is in a group, in this order. Kernels before 5.14 have no file for it. */
export function enderFiles(directories: readonly CgroupDir[]): readonly GroupWrite[] {
  return directories.flatMap(({ version, path }): readonly GroupWrite[] => {
    // What is stopped in the first version cannot end.
    const file = version === 1 ? 'freezer.state' : 'cgroup.kill'
    const text = version === 1 ? 'THAWED' : '1'
    const whole = join(path, file)
    return existsSync(whole) ? [{ path: whole, text }] : []
  })
}
