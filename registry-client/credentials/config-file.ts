import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  errnoOf,
  ioError,
  type JsonObject,
  randomName,
  readDocument,
  shapes,
  TsbuildError,
} from '#core'
import { DOCKER_CONFIG, type DockerConfig } from './auth-entries.ts'

const MAX_CONFIG = 1024 * 1024
const HINT = 'repair it or move it away, then log in again with tsbuild login'

/** Docker's `config.json` as it was read. */
export interface ConfigFile {
  readonly config: DockerConfig
  /** The whole document: unknown keys are kept when it is written. */
  readonly json: JsonObject
}

/**
 * Reads docker's `config.json`; an absent one is empty.
 * @throws {TsbuildError} CONFIG_INVALID; nothing of the content is in its text
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const bytes = readSmallFile(path)
  if (bytes === undefined || bytes.toString().trim() === '') return { config: {}, json: {} }
  const options = { what: path, code: 'CONFIG_INVALID', isSecret: true, hint: HINT } as const
  const config = readDocument(bytes, DOCKER_CONFIG, options)
  return { config, json: readDocument(bytes, shapes.map(shapes.any), options) }
}

/** Replaces the file at once and readable only by its owner; a symbolic link stays one. */
export async function writeConfigFile(path: string, config: JsonObject): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const target = await realpath(path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return path
      throw error
    })
    await replaceFile(target, `${JSON.stringify(config, undefined, '\t')}\n`)
  } catch (error) {
    throw ioError(`write ${path}`, error)
  }
}

async function replaceFile(target: string, text: string): Promise<void> {
  const temporary = join(dirname(target), `.config-${randomName(16)}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * A regular file; `undefined` when it is not there. At once: Node's other way to read files, with the threads that it
 * starts, takes longer than the file.
 * @throws {TsbuildError} CONFIG_INVALID, PERMISSION_DENIED
 */
export function readSmallFile(path: string): Buffer | undefined {
  try {
    // Without O_NONBLOCK a FIFO in the file's place would block for ever.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = fstatSync(file)
      if (!stat.isFile()) throw configError(path, 'is not a regular file')
      if (stat.size > MAX_CONFIG) throw configError(path, `has more than ${MAX_CONFIG} bytes`)
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw ioError(`read ${path}`, error)
  }
}

function configError(path: string, what: string): TsbuildError {
  return new TsbuildError(`${path} ${what}`, { code: 'CONFIG_INVALID', hint: HINT })
}
