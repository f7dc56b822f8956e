import { homedir } from 'node:os'
import { join } from 'node:path'
import { readRegularFile } from '#builder/linux'
import { isJsonObject, parseJson } from '#core'
import type { Shell } from './shell.ts'

const MAX_CONFIG_BYTES = 1 << 20

/** The file that holds a password for `registry` as plain text, or `undefined`. */
export function clearTextFile(registry: string, env: Shell['env']): string | undefined {
  const folder = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker')
  const file = join(folder, 'config.json')
  const auths = readAuths(file)
  const keys = Object.keys(auths).filter((key) => {
    const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
    return host === registry || (registry === 'docker.io' && host === 'index.docker.io')
  })
  return keys.some((key) => holdsSecret(auths[key])) ? file : undefined
}

function holdsSecret(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false
  return 'auth' in entry || 'identitytoken' in entry || 'password' in entry
}

function readConfig(file: string): Buffer {
  return readRegularFile(file, { limit: MAX_CONFIG_BYTES, refuse: (why) => new Error(why) })
}

function readAuths(file: string): Readonly<Record<string, unknown>> {
  try {
    const document = parseJson(readConfig(file), 'config.json', 'CONFIG_INVALID')
    const auths = isJsonObject(document) ? document.auths : undefined
    return isJsonObject(auths) ? auths : {}
  } catch {
    // Only a warning depends on it.
    return {}
  }
}
