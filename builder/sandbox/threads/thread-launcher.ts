import { threadSettings } from '#builder/threads'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { Launcher } from '../process/launcher.ts'

/** What a thread that starts processes is started with. */
export interface LauncherSettings {
  /** The control groups that the first step will be in. */
  readonly cgroups: readonly CgroupDir[]
}

let launcher: Launcher | undefined

/** The launcher of the calling thread, which becomes it at the first call that succeeds. */
export function threadLauncher(): Launcher {
  launcher ??= new Launcher(threadSettings<LauncherSettings>().cgroups)
  return launcher
}
