import { join } from 'node:path'
import { homeFolder } from '#disk'

type Environment = Readonly<Record<string, string | undefined>>

/** The store's folder: `$TSBUILD_ROOT`, /var/lib/tsbuild for root, else `$XDG_DATA_HOME/tsbuild`. */
export function resolveRoot(env: Environment): string {
  if (env.TSBUILD_ROOT) return env.TSBUILD_ROOT
  if (process.geteuid?.() === 0) return '/var/lib/tsbuild'
  return join(env.XDG_DATA_HOME || join(homeFolder(env), '.local', 'share'), 'tsbuild')
}
