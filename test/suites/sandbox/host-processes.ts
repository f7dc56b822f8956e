import { readdirSync, readFileSync } from 'node:fs'

/** Pids of processes with `text` in their command line, but for those that also have `except`. */
export function processesOf(text: string, except = '\n'): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command.includes(text) && !command.includes(except)
    } catch {
      return false
    }
  })
}
