import { pushFromStore } from '#builder'
import { parseProgress } from '../arguments/build-arguments.ts'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { FailedSteps } from '../progress/failed-steps.ts'
import { openProgress } from '../progress/open-progress.ts'
import { networkSettings } from '../settings/network-settings.ts'
import { print, type Shell } from '../terminal/shell.ts'

/** `tsbuild push` */
export async function runPush(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild push [flags] NAME[:TAG]'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const quiet = args.has('quiet')
  const mode = parseProgress(args, shell.env)
  const root = args.text('root')
  const progress = await openProgress(mode, shell)
  const failed = new FailedSteps(() => performance.now())
  try {
    const pushed = await pushFromStore({
      name,
      ...(root === undefined ? {} : { root }),
      ignoreChownErrors: args.has('ignore-chown-errors'),
      ...(await networkSettings(args, shell)),
      signal: shell.signal,
      onEvent: (event) => {
        failed.handle(event)
        progress.handle(event)
      },
    })
    progress.close()
    const { digest, size } = pushed.descriptor
    await print(shell, quiet ? `${digest}\n` : `${pushed.name}: digest: ${digest} size: ${size}\n`)
    return 0
  } catch (error) {
    progress.close()
    if (mode !== 'rawjson') shell.stderr.write(failed.report())
    throw error
  }
}
