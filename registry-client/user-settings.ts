import { join } from 'node:path'
import type { Environment } from '#http'

/** The folder of a user's settings; `undefined` for a user without a home. */
export function userSettings({ HOME, XDG_CONFIG_HOME }: Environment): string | undefined {
  return XDG_CONFIG_HOME || (HOME ? join(HOME, '.config') : undefined)
}
