import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** `$HOME`, else the folder of the user's account; without one `/`, as in a container. */
export function homeFolder({ HOME }: Environment): string {
  if (HOME) return HOME
  try {
    return homedir() || '/'
  } catch {
    // This machine has no account for the uid.
    return '/'
  }
}

/** `$XDG_CONFIG_HOME`, else `.config` in the home. Spec: XDG Base Directory Specification 0.8 */
export function configFolder(env: Environment): string {
  return env.XDG_CONFIG_HOME || join(homeFolder(env), '.config')
}
