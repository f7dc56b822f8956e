import { readFileSync } from 'node:fs'
import type { Name } from '#core'

const ESCAPED = /\\([0-7]{3})/g

/**
 * The paths at which something is mounted in the mount namespace of the calling thread, as seen from its
 * root. Spec: proc_pid_mountinfo(5)
 */
export function mountPoints(): readonly Name[] {
  const lines = readFileSync('/proc/thread-self/mountinfo', 'latin1').split('\n')
  return lines.flatMap((line) => {
    const path = line.split(' ')[4]
    return path === undefined ? [] : [unescaped(path)]
  })
}

function unescaped(path: string): Name {
  return path.replace(ESCAPED, (_, octal: string) => {
    return String.fromCharCode(Number.parseInt(octal, 8))
  }) as Name
}
