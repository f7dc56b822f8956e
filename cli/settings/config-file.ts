import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, TsbuildError } from '#core'
import { configFolder } from '#disk'
import type { Shell } from '../terminal/shell.ts'

/** A value of a file of settings, and where it stands. */
export interface Setting {
  readonly value: unknown
  /** Absolute. */
  readonly file: string
}

/** Settings of the user, then of the machine: the first file that has one counts. */
function filesOf(env: Shell['env']): readonly string[] {
  return [join(configFolder(env), 'tsbuild', 'config.toml'), '/etc/tsbuild/config.toml']
}

/**
 * A setting by its name at the top of `config.toml`; `undefined` where no file has it. What reads TOML is loaded
 * only when there is a file.
 * @throws {TsbuildError} USAGE for a file that is no TOML, PERMISSION_DENIED
 */
export async function readSetting(name: string, env: Shell['env']): Promise<Setting | undefined> {
  for (const file of filesOf(env)) {
    if (!isThere(file)) continue
    const value = (await readToml(file))[name]
    if (value !== undefined) return { value, file }
  }
  return undefined
}

/** The same where a file that is wrong as a whole is left out: that is a warning of a build already. */
export async function findSetting(name: string, env: Shell['env']): Promise<Setting | undefined> {
  try {
    return await readSetting(name, env)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

/** A file of settings as it is. */
export interface SettingsFile {
  /** Absolute. */
  readonly path: string
  readonly table: Readonly<Record<string, unknown>>
}

/** The files of settings that there are, the user's first. @throws as `readSetting` */
export async function readSettingsFiles(env: Shell['env']): Promise<readonly SettingsFile[]> {
  const found = filesOf(env).filter(isThere)
  return await Promise.all(found.map(async (path) => ({ path, table: await readToml(path) })))
}

/** A folder that this user may not look into has no settings of theirs, as a container with root's home. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (cause) {
    if (errnoOf(cause) !== 'EACCES') throw cause
    return false
  }
}

async function readToml(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = readFileSync(file, 'utf8')
  const { parse } = await import('./toml.ts')
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    const [first = ''] = cause.message.split('\n')
    throw new TsbuildError(`${file}: ${first}`, {
      code: 'USAGE',
      cause,
      hint: 'settings are lines such as cache-max = "20GB"',
    })
  }
}
