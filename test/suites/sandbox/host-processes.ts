import { readdirSync, readFileSync } from 'node:fs'
import { until } from '../../support/peers/index.ts'

/** Pids of processes with `text` in their command line, but for those that also have `except`. */
export function processesOf(text: string, except = '\n'): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    const command = readOrEmpty(`/proc/${name}/cmdline`).replaceAll('\0', ' ')
    return command.includes(text) && !command.includes(except)
  })
}

/**
 * Waits for at least so many of them: one that is being executed has no command line for a moment.
 * @throws where there are fewer after 20 seconds
 */
export async function untilProcesses(text: string, least: number, except = '\n'): Promise<void> {
  await until(() => processesOf(text, except).length >= least)
}

/**
 * Helpers of builders (a guardian, a program of networks) by a text of their command line, which builders of other
 * tests have too: those that this process started, and those whose builder has ended.
 */
export function abandonedHelpers(text: string): readonly string[] {
  return processesOf(text).filter((pid) => {
    const parent = parentOf(pid)
    return parent === String(process.pid) || !isNode(parent)
  })
}

function parentOf(pid: string): string | undefined {
  return readOrEmpty(`/proc/${pid}/status`).match(/^PPid:\t(\d+)$/m)?.[1]
}

function isNode(pid: string | undefined): boolean {
  return readOrEmpty(`/proc/${pid}/cmdline`).split('\0')[0]?.endsWith('node') ?? false
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
