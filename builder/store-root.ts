import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Set by the re-execution into a user namespace, where everybody looks like root. */
export const ROOTLESS_VARIABLE = 'TSBUILD_ROOTLESS'

/** The store's folder: `$TSBUILD_ROOT`, /var/lib/tsbuild for root, else `$XDG_DATA_HOME/tsbuild`. */
export function resolveRoot(env: Environment): string {
  if (env.TSBUILD_ROOT) return env.TSBUILD_ROOT
  const isRoot = process.geteuid?.() === 0 && env[ROOTLESS_VARIABLE] === undefined
  if (isRoot) return '/var/lib/tsbuild'
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'tsbuild')
}
