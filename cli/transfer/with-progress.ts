import type { BuildEventListener } from '#core'
import { parseProgress } from '../arguments/build-arguments.ts'
import type { Arguments } from '../arguments/flags.ts'
import { FailedSteps } from '../progress/failed-steps.ts'
import { openProgress } from '../progress/open-progress.ts'
import { type NetworkSettings, networkSettings } from '../settings/network-settings.ts'
import type { Shell } from '../terminal/shell.ts'

/** What a command that moves images takes from its flags, and from files of settings. */
export interface TransferArguments extends NetworkSettings {
  readonly root: string | undefined
  readonly signal: AbortSignal
  readonly onEvent: BuildEventListener
}

/** Runs something with the progress that builds have; its end is seen before anything else is printed. */
export async function withProgress<T>(
  args: Arguments,
  shell: Shell,
  work: (options: TransferArguments) => Promise<T>,
): Promise<T> {
  const mode = parseProgress(args, shell.env)
  const progress = await openProgress(mode, shell)
  const failed = new FailedSteps(() => performance.now())
  try {
    const result = await work({
      root: args.text('root'),
      ...(await networkSettings(args, shell)),
      signal: shell.signal,
      onEvent: (event) => {
        failed.handle(event)
        progress.handle(event)
      },
    })
    progress.close()
    return result
  } catch (error) {
    progress.close()
    if (mode !== 'rawjson') shell.stderr.write(failed.report())
    throw error
  }
}
