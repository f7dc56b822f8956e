import { readNamedFile, readRegularFile } from '#builder/linux'
import { ioError, TsbuildError } from '#core'
import { MAX_DOCKERFILE_BYTES } from '#parser'
import type { Shell } from '../terminal/shell.ts'
import { readStandardInput } from './standard-input.ts'

/** A Dockerfile as it was read, and the name that messages call it by. */
export interface DockerfileInput {
  readonly filename: string
  readonly bytes: Uint8Array
}

/**
 * Reads a Dockerfile from a file or a pipe; `-` is standard input.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED, CANCELLED
 */
export async function readDockerfile(path: string, shell: Shell): Promise<DockerfileInput> {
  if (path === '-') return { filename: 'stdin', bytes: await readDockerfileStdin(shell) }
  return { filename: path, bytes: await readInput(path, MAX_DOCKERFILE_BYTES, shell) }
}

/** The Dockerfile that standard input is. @throws {TsbuildError} IO_FAILED, CANCELLED */
export function readDockerfileStdin(shell: Shell): Promise<Buffer> {
  return readStandardInput(shell, MAX_DOCKERFILE_BYTES)
}

/**
 * Reads at most `limit` bytes of a file or a pipe; `-` is standard input.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED, CANCELLED
 */
export async function readInput(path: string, limit: number, shell: Shell): Promise<Buffer> {
  if (path === '-') return await readStandardInput(shell, limit)
  try {
    const { signal } = shell
    return await readNamedFile(path, { limit, refuse: refusalError(path), signal })
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}

/**
 * One of many Dockerfiles, whose names the user may not have written: a FIFO or device among them must
 * not hold up the others.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED
 */
export function readListedDockerfile(path: string): Uint8Array {
  try {
    return readRegularFile(path, { limit: MAX_DOCKERFILE_BYTES, refuse: refusalError(path) })
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}

function refusalError(path: string): (why: string) => TsbuildError {
  return (why) => new TsbuildError(`read ${path}: ${why}`, { code: 'IO_FAILED' })
}
