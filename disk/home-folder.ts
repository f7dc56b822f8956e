import { homedir } from 'node:os'

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
