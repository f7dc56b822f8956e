import { threadSettings } from '#builder/threads'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { becomeLauncher, type Launcher } from '../process/launcher.ts'

/** What a thread that starts processes is started with. */
export interface LauncherSettings {
  /** The control groups of the steps that it starts, unless they have others. */
  readonly cgroups: readonly CgroupDir[]
}

let launcher: Launcher | undefined

/** The launcher of the calling thread, which becomes it at the first call that succeeds. */
export function threadLauncher(): Launcher {
  launcher ??= becomeLauncher(threadSettings<LauncherSettings>().cgroups)
  return launcher
}
