import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ENTER = fileURLToPath(new URL('./enter-root.js', import.meta.url))

/** How a script is run in a root that it may destroy. */
export interface ThrowAwayOptions {
  /** Capabilities that docker gives and this script does not get, in lower case. */
  readonly without?: readonly string[]
  readonly args?: readonly string[]
}

/**
 * Runs a script as in a container: it has a root file system in memory, processes and mounts of its own,
 * and the rights of docker's default. What is mounted there, such as the compiled tests, stays.
 */
export function spawnInRoot(
  script: URL,
  { without = [], args = [] }: ThrowAwayOptions = {},
): ChildProcess {
  const kinds = ['--mount', '--pid', '--fork', '--ipc', '--uts', '--propagation', 'private']
  const command = [process.execPath, ENTER, without.join(','), fileURLToPath(script), ...args]
  return spawn('unshare', [...kinds, '--kill-child', ...command], {
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
  })
}
