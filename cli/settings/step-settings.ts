import type { BuildOptions } from '#builder'
import { ISOLATION_CHOICES, type IsolationChoice, TsbuildError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { findSetting } from './config-file.ts'

/**
 * How steps are kept apart and what starts them as files of settings say, where no flag does.
 * @throws {TsbuildError} USAGE for a value that is none: it may have been meant to be strict
 */
export async function stepSettings(
  args: Arguments,
  env: Shell['env'],
): Promise<Pick<BuildOptions, 'isolation' | 'runtime'>> {
  const settingOf = async <T>(name: string, kind: SettingKind<T>): Promise<T | undefined> =>
    args.text(name) === undefined ? await checkedSetting(name, kind, env) : undefined
  const isolation = await settingOf('isolation', ISOLATION)
  const runtime = await settingOf('runtime', RUNTIME)
  return {
    ...(isolation === undefined ? {} : { isolation }),
    ...(runtime === undefined ? {} : { runtime }),
  }
}

/** The values that a setting can have. */
interface SettingKind<T> {
  readonly has: (value: unknown) => value is T
  readonly hint: string
}

const CHOICES: readonly unknown[] = ISOLATION_CHOICES

const ISOLATION: SettingKind<IsolationChoice> = {
  has: (value): value is IsolationChoice => CHOICES.includes(value),
  hint: `write one of ${ISOLATION_CHOICES.map((choice) => `"${choice}"`).join(', ')}`,
}

const RUNTIME: SettingKind<string> = {
  has: (value) => typeof value === 'string',
  hint: 'write it like runtime = "runc"',
}

async function checkedSetting<T>(
  name: string,
  { has, hint }: SettingKind<T>,
  env: Shell['env'],
): Promise<T | undefined> {
  const setting = await findSetting(name, env)
  if (setting === undefined) return undefined
  const { value, file } = setting
  if (has(value)) return value
  throw new TsbuildError(`invalid ${name} in ${file}`, { code: 'USAGE', hint })
}
