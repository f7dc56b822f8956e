import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { ioError } from '#core'
import type { Shell } from './shell.ts'

/** A Dockerfile as it was read, and the name that messages call it by. */
export interface DockerfileInput {
  readonly filename: string
  readonly bytes: Uint8Array
}

/**
 * Reads a Dockerfile; `-` is standard input.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED
 */
export async function readDockerfile(path: string, shell: Shell): Promise<DockerfileInput> {
  if (path === '-') return { filename: 'stdin', bytes: await buffer(shell.stdin) }
  return { filename: path, bytes: readFile(path) }
}

/** @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED */
export function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}
