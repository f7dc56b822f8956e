import type { BuildOptions } from '#builder'
import { TsbuildError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { findSetting } from './config-file.ts'

/**
 * The program that starts steps as files of settings say, where no flag does.
 * @throws {TsbuildError} USAGE for another kind of value: steps must not be started by what was not meant
 */
export async function runtimeSetting(
  args: Arguments,
  env: Shell['env'],
): Promise<Pick<BuildOptions, 'runtime'>> {
  if (args.text('runtime') !== undefined) return {}
  const setting = await findSetting('runtime', env)
  if (setting === undefined) return {}
  const { value, file } = setting
  if (typeof value === 'string') return { runtime: value }
  throw new TsbuildError(`invalid runtime in ${file}`, {
    code: 'USAGE',
    hint: 'write it like runtime = "runc"',
  })
}
