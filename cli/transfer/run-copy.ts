import { copyImages } from '#builder'
import { usageError } from '#core'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild copy` */
export async function runCopy(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild copy [flags] SRC DST'
  const [from = '', to = ''] = expectArguments(args, { least: 2, most: 2, usage })
  const platform = args.text('platform')
  if (platform !== undefined && args.has('all-platforms')) {
    throw usageError('--platform and --all-platforms exclude each other', 'leave one of them out')
  }
  const { root } = await withProgress(args, shell, (options) =>
    copyImages({ ...options, from, to, platform, referrers: args.has('referrers') }),
  )
  const { digest, size } = root
  await print(shell, args.has('quiet') ? `${digest}\n` : `${to}: digest: ${digest} size: ${size}\n`)
  return 0
}
