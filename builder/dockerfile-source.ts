import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { errnoOf, ioError, TsbuildError } from '#core'
import { type ParseResult, parseDockerfile, type SourceFile } from '#parser'
import { readContained } from './contained-file.ts'
import { readIgnoreFile } from './ignore-file.ts'

const MAX_BYTES = 4 << 20

export interface DockerfileOptions {
  readonly context: string
  readonly file: string | undefined
  readonly dockerfile: string | undefined
}

export interface LoadedDockerfile {
  /** With everything that is wrong with it: only what has no errors can be built. */
  readonly parsed: ParseResult
  readonly source: SourceFile
  /** Absolute; `undefined` for one that is given as text. */
  readonly path: string | undefined
  /** Text of the `.dockerignore` that goes with it; empty without one. */
  readonly ignore: string
}

/** Reads and parses the Dockerfile. @throws {TsbuildError} CONTEXT_INVALID when it cannot be read */
export function loadDockerfile(options: DockerfileOptions): LoadedDockerfile {
  const { path, name } = locateDockerfile(options)
  const bytes = path === undefined ? Buffer.from(options.dockerfile ?? '') : read(path, options)
  const source = { filename: name, text: bytes.toString() }
  const ignore = readIgnoreFile(options.context, path)?.text ?? ''
  return { parsed: parseDockerfile(bytes), source, path: path && resolve(path), ignore }
}

/** Which file is the Dockerfile; there is no path for one that is given as text. */
export function locateDockerfile(options: DockerfileOptions): {
  readonly path: string | undefined
  readonly name: string
} {
  if (options.dockerfile !== undefined) return { path: undefined, name: 'Dockerfile' }
  const path = options.file ?? join(options.context, 'Dockerfile')
  const lower = join(dirname(path), 'dockerfile')
  const isLower = basename(path) === 'Dockerfile' && !existsSync(path) && existsSync(lower)
  const found = isLower ? lower : path
  return { path: found, name: options.file === undefined ? basename(found) : found }
}

/** A file that the user named is what they want; what stands in the context must not lead out of it. */
function read(path: string, { context, file }: DockerfileOptions): Buffer {
  if (file !== undefined) return readText(path)
  const label = { doing: 'failed to read dockerfile', shown: path }
  const bytes = readContained(context, basename(path), label)
  if (bytes === undefined) throw missing(path)
  return bytes
}

/** A FIFO or device in its place must not hold the build, so only regular files are opened. */
function readText(path: string): Buffer {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw unreadable(path, 'it is not a regular file')
    if (stat.size > MAX_BYTES) throw unreadable(path, `it has more than ${MAX_BYTES} bytes`)
    return readFileSync(path)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw ioError(`read ${path}`, cause)
    throw missing(path, cause)
  }
}

function missing(path: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`failed to read dockerfile: open ${path}: no such file or directory`, {
    code: 'CONTEXT_INVALID',
    cause,
    hint: 'name the Dockerfile with -f, or the folder that holds it as the context',
  })
}

function unreadable(path: string, why: string): TsbuildError {
  return new TsbuildError(`failed to read dockerfile: ${path}: ${why}`, { code: 'CONTEXT_INVALID' })
}
