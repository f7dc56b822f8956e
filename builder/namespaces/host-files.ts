import { readFileSync } from 'node:fs'
import { errnoOf } from '#core'
import { isExecutable } from '#disk'

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']

/** Where the host has an executable program; PATH, which others may have set, is not asked. */
export function findHostProgram(name: string): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find(isExecutable)
}

/** The text of a file, empty when there is none. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw cause
  }
}
