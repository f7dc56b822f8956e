import type { BuildOptions } from '#builder'
import { ISOLATION_CHOICES, type IsolationChoice, TsbuildError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { findSetting } from './config-file.ts'

/**
 * How steps are kept apart as files of settings say, where no flag does.
 * @throws {TsbuildError} USAGE for a value that is none: it may have been meant to be strict
 */
export async function isolationSetting(
  args: Arguments,
  env: Shell['env'],
): Promise<Pick<BuildOptions, 'isolation'>> {
  if (args.text('isolation') !== undefined) return {}
  const setting = await findSetting('isolation', env)
  if (setting === undefined) return {}
  const { value, file } = setting
  if (isIsolation(value)) return { isolation: value }
  throw new TsbuildError(`invalid isolation in ${file}`, {
    code: 'USAGE',
    hint: `write one of ${ISOLATION_CHOICES.map((choice) => `"${choice}"`).join(', ')}`,
  })
}

function isIsolation(value: unknown): value is IsolationChoice {
  const choices: readonly unknown[] = ISOLATION_CHOICES
  return choices.includes(value)
}
