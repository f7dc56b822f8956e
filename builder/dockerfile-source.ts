import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, TsbuildError } from '#core'
import {
  type Dockerfile,
  diagnosticsError,
  parseDockerfile,
  parseDockerignore,
  type SourceFile,
} from '#parser'

const MAX_BYTES = 4 << 20

export interface DockerfileOptions {
  readonly context: string
  readonly file: string | undefined
  readonly dockerfile: string | undefined
}

export interface LoadedDockerfile {
  readonly dockerfile: Dockerfile
  readonly source: SourceFile
  /** Of warnings: the message and the 1-based line. */
  readonly warnings: readonly { readonly message: string; readonly line: number }[]
  /** Text of the `.dockerignore` that goes with it; empty without one. */
  readonly ignore: string
}

/** Reads and parses the Dockerfile. @throws {SourceError} with everything that is wrong with it */
export function loadDockerfile(options: DockerfileOptions): LoadedDockerfile {
  const { path, name } = locate(options)
  const bytes = path === undefined ? Buffer.from(options.dockerfile ?? '') : readText(path)
  const source = { filename: name, text: bytes.toString() }
  const { dockerfile, diagnostics } = parseDockerfile(bytes)
  const error = diagnosticsError(diagnostics, source)
  if (error !== undefined) throw error
  const warnings = diagnostics.map(({ message, range }) => ({ message, line: range.start.line }))
  return { dockerfile, source, warnings, ignore: readIgnore(options.context, path) }
}

function locate(options: DockerfileOptions): { path: string | undefined; name: string } {
  if (options.dockerfile !== undefined) return { path: undefined, name: 'Dockerfile' }
  if (options.file !== undefined) return { path: options.file, name: options.file }
  const path = join(options.context, 'Dockerfile')
  const lower = join(options.context, 'dockerfile')
  const isLower = !existsSync(path) && existsSync(lower)
  return { path: isLower ? lower : path, name: isLower ? 'dockerfile' : 'Dockerfile' }
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
    throw new TsbuildError(`failed to read dockerfile: open ${path}: no such file or directory`, {
      code: 'CONTEXT_INVALID',
      cause,
      hint: 'name the Dockerfile with -f, or the folder that holds it as the context',
    })
  }
}

function unreadable(path: string, why: string): TsbuildError {
  return new TsbuildError(`failed to read dockerfile: ${path}: ${why}`, { code: 'CONTEXT_INVALID' })
}

/** `<Dockerfile>.dockerignore` wins over the context's `.dockerignore`; they are not merged. */
function readIgnore(context: string, dockerfile: string | undefined): string {
  const candidates = [
    ...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]),
    join(context, '.dockerignore'),
  ]
  const path = candidates.find((candidate) => existsSync(candidate))
  if (path === undefined) return ''
  const text = readText(path).toString()
  parseDockerignore(text)
  return text
}
