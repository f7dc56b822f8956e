import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { readNamedFile } from '#builder/linux'
import { errnoOf, ioError, type Spans, TsbuildError } from '#core'
import {
  MAX_DOCKERFILE_BYTES,
  type ParseOptions,
  type ParseResult,
  parseDockerfile,
  type SourceFile,
} from '#parser'
import { readContained } from './contained-file.ts'
import { readIgnoreFile } from './ignore-file.ts'

const DEFAULT_NAME = 'Dockerfile'
const DOING = 'failed to read dockerfile'

/** Which Dockerfile is read. */
export interface DockerfileOptions {
  /** The folder with the context's files. */
  readonly context: string
  /**
   * `fetched`: `file` is taken from the context and cannot lead out of it. `local`: `file` is taken from
   * the current directory.
   */
  readonly origin: 'local' | 'fetched'
  /** Whether the ignore file counts. */
  readonly ignores: boolean
  readonly file: string | undefined
  /** What messages call it; absent: its path. */
  readonly shownFile?: string | undefined
  /** The Dockerfile itself. */
  readonly dockerfile: string | Buffer | undefined
  readonly frontend?: ParseOptions['frontend']
  readonly spans: Spans
  /** Ends the wait for a pipe's writer. */
  readonly signal: AbortSignal | undefined
}

/** A Dockerfile that was read and parsed. */
export interface LoadedDockerfile {
  /** With everything that is wrong with it: only what has no errors can be built. */
  readonly parsed: ParseResult
  readonly source: SourceFile
  /** Absolute; `undefined` for one that is given as text. */
  readonly path: string | undefined
  /** Text of the `.dockerignore` that goes with it; empty without one. */
  readonly ignore: string
}

/**
 * Reads and parses the Dockerfile.
 * @throws {TsbuildError} CONTEXT_INVALID when it cannot be read, CANCELLED
 */
export function loadDockerfile(options: DockerfileOptions): Promise<LoadedDockerfile> {
  return options.spans.measure('parse', () => readAndParse(options))
}

async function readAndParse(options: DockerfileOptions): Promise<LoadedDockerfile> {
  const { context, origin, ignores, shownFile } = options
  const { name, path, bytes } = await readDockerfile(options)
  const source = { filename: shownFile ?? name, text: bytes.toString() }
  const inContext = origin === 'fetched' && options.dockerfile === undefined
  const beside = inContext ? join(context, name) : path
  const ignore = ignores ? (readIgnoreFile(context, beside)?.text ?? '') : ''
  const parsed = parseDockerfile(bytes, { frontend: options.frontend })
  return { parsed, source, path: path && resolve(path), ignore }
}

/** Which file is the Dockerfile of a folder. */
export function locateDockerfile(context: string, file: string | undefined): string {
  const path = file ?? join(context, DEFAULT_NAME)
  const lower = join(dirname(path), DEFAULT_NAME.toLowerCase())
  const isLower = basename(path) === DEFAULT_NAME && !existsSync(path) && existsSync(lower)
  return isLower ? lower : path
}

interface ReadDockerfile {
  /** For messages. */
  readonly name: string
  /** On this machine; absent where the user named no file. */
  readonly path?: string
  readonly bytes: Buffer
}

async function readDockerfile(options: DockerfileOptions): Promise<ReadDockerfile> {
  const { context, origin, file, dockerfile, signal } = options
  if (dockerfile !== undefined) return { name: DEFAULT_NAME, bytes: Buffer.from(dockerfile) }
  if (origin === 'fetched') return readFetched(context, file ?? DEFAULT_NAME)
  const path = locateDockerfile(context, file)
  // A file that the user named may be anywhere.
  if (file !== undefined) return { name: path, path, bytes: await readText(path, signal) }
  const name = basename(path)
  const bytes = readContained(context, name, { doing: DOING, shown: path })
  if (bytes === undefined) throw missingError(path)
  return { name, path, bytes }
}

/** A fetched context must not lead out of itself. */
function readFetched(context: string, file: string): ReadDockerfile {
  const names = [file]
  if (basename(file) === DEFAULT_NAME) names.push(join(dirname(file), DEFAULT_NAME.toLowerCase()))
  for (const name of names) {
    const bytes = readContained(context, name, { doing: DOING, shown: name })
    if (bytes !== undefined) return { name, bytes }
  }
  throw missingError(file)
}

async function readText(path: string, signal: AbortSignal | undefined): Promise<Buffer> {
  try {
    const refuse = (why: string): TsbuildError => unreadableError(path, why)
    return await readNamedFile(path, { limit: MAX_DOCKERFILE_BYTES, refuse, signal })
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw ioError(`read ${path}`, cause)
    throw missingError(path, cause)
  }
}

function missingError(path: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`failed to read dockerfile: open ${path}: no such file or directory`, {
    code: 'CONTEXT_INVALID',
    cause,
    hint: 'name the Dockerfile with -f, or the folder that holds it as the context',
  })
}

function unreadableError(path: string, why: string): TsbuildError {
  return new TsbuildError(`failed to read dockerfile: ${path}: ${why}`, { code: 'CONTEXT_INVALID' })
}
