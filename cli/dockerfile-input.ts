import { readFileSync, statSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { ioError, TsbuildError } from '#core'
import { MAX_DOCKERFILE_BYTES } from '#parser'
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

/**
 * One of many files, which somebody else may have put there: a FIFO or device among them must not
 * hold up the others.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED
 */
export function readRegularFile(path: string): Uint8Array {
  try {
    const stat = statSync(path)
    const isLarge = stat.size > MAX_DOCKERFILE_BYTES
    if (stat.isFile() && !isLarge) return readFileSync(path)
    const why = isLarge
      ? `it has more than ${MAX_DOCKERFILE_BYTES} bytes`
      : 'it is not a regular file'
    throw new TsbuildError(`read ${path}: ${why}`, { code: 'IO_FAILED' })
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}
