import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ContainerLog,
  type LogDriver,
  type LoggedContainer,
  type LogLine,
  type LogOptions,
  type LogStream,
  openLog,
  type ReadOptions,
} from '#engine/logs'

export const CONTAINER: LoggedContainer = {
  id: 'c'.repeat(64),
  name: 'one',
  imageId: `sha256:${'1'.repeat(64)}`,
  imageName: 'busybox',
  command: ['sh', '-c', 'true'],
  env: ['A=1', 'B=2=3'],
  labels: { role: 'db', 'com.x.zone': '<a>' },
}

export const BOTH: ReadonlySet<LogStream> = new Set(['stdout', 'stderr'])

export interface LabOptions {
  readonly driver?: LogDriver
  readonly options?: LogOptions
  readonly container?: LoggedContainer
  readonly onFailure?: (failure: unknown) => void
}

/** A log in a folder, which is made. Any failure that is not expected is thrown. */
export function logIn(directory: string, lab: LabOptions = {}): ContainerLog {
  mkdirSync(directory, { recursive: true })
  const { driver = 'json-file', options = {}, container = CONTAINER } = lab
  const onFailure = lab.onFailure ?? unexpected
  return openLog({ driver, options, directory, container, onFailure })
}

function unexpected(failure: unknown): never {
  throw failure
}

export async function linesOf(
  log: ContainerLog,
  options: Partial<ReadOptions> = {},
): Promise<readonly LogLine[]> {
  return await collect(log.read({ streams: BOTH, ...options }))
}

export async function collect(lines: AsyncIterable<LogLine>): Promise<readonly LogLine[]> {
  const all: LogLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

export async function textOf(
  log: ContainerLog,
  options: Partial<ReadOptions> = {},
): Promise<string> {
  return (await bytesOf(log, options)).toString()
}

export async function bytesOf(
  log: ContainerLog,
  options: Partial<ReadOptions> = {},
): Promise<Buffer> {
  return Buffer.concat((await linesOf(log, options)).map(({ data }) => data))
}

/** The file that is written, in whatever format. */
export function fileOf(directory: string, driver: LogDriver = 'json-file'): string {
  return join(directory, driver === 'local' ? 'container.log' : `${CONTAINER.id}-json.log`)
}

export function filesIn(directory: string): readonly string[] {
  return readdirSync(directory).sort()
}
