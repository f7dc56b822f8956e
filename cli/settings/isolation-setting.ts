import type { BuildOptions } from '#builder'
import { ISOLATION_CHOICES, type IsolationChoice, TsbuildError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { readSetting, type Setting } from './config-file.ts'

/**
 * How steps are kept apart as files of settings say, where no flag does.
 * @throws {TsbuildError} USAGE for a value that is none: it may have been meant to be strict
 */
export async function isolationSetting(
  args: Arguments,
  env: Shell['env'],
): Promise<Pick<BuildOptions, 'isolation'>> {
  if (args.text('isolation') !== undefined) return {}
  const setting = await findSetting(env)
  if (setting === undefined) return {}
  const { value, file } = setting
  if (isIsolation(value)) return { isolation: value }
  throw new TsbuildError(`invalid isolation in ${file}`, {
    code: 'USAGE',
    hint: `write one of ${ISOLATION_CHOICES.map((choice) => `"${choice}"`).join(', ')}`,
  })
}

/** That a file is wrong as a whole is a warning of a build, which says that its settings are left out. */
async function findSetting(env: Shell['env']): Promise<Setting | undefined> {
  try {
    return await readSetting('isolation', env)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

function isIsolation(value: unknown): value is IsolationChoice {
  const choices: readonly unknown[] = ISOLATION_CHOICES
  return choices.includes(value)
}
