import { fileURLToPath } from 'node:url'

const ENTER = fileURLToPath(new URL('./enter-root.js', import.meta.url))

/** What a command finds in a root that it may destroy. */
export interface ThrowAwayOptions {
  /** Directories of this machine, shown read-only at the same paths; one of them has the command. */
  readonly show: readonly string[]
  /** Capabilities that docker gives and the command does not get, in lower case. */
  readonly without?: readonly string[]
}

/**
 * Words in front of a command that run it as in a container: with a root file system in memory, processes
 * and mounts of its own, and the rights of docker's default. The store may be below /volume, which is
 * another file system than the root. Needs root.
 */
export function throwAwayRoot({ show, without = [] }: ThrowAwayOptions): readonly string[] {
  const kinds = ['--mount', '--pid', '--fork', '--ipc', '--uts', '--propagation', 'private']
  const settings = [show.join(':'), without.join(',')]
  return ['unshare', ...kinds, '--kill-child', process.execPath, ENTER, ...settings]
}
