import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './published.ts'

/** Folders of the machine that the Dockerfile names. */
export interface ImageContexts {
  /** Files of others. */
  readonly system: string
  /** tsbuild. */
  readonly package: string
  /** Empty folders that every user may write to. */
  readonly writable: string
}

/** Makes the empty folders that every user of the image may write to. */
export function makeWritableFolder(folder: string): void {
  for (const path of [
    'tmp',
    'tsbuild/context',
    'home/tsbuild',
    'kaniko/.docker',
    'var/lib/tsbuild',
  ]) {
    mkdirSync(join(folder, path), { recursive: true })
  }
}

/**
 * The command line that builds the image with tsbuild.
 * @param args further arguments: where the image goes
 */
export function imageCommand(
  contexts: ImageContexts,
  args: readonly string[],
): readonly [string, ...string[]] {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'))
  return [
    process.execPath,
    join(REPOSITORY, 'cli/bin.js'),
    'build',
    '--reproducible',
    `--build-arg=VERSION=${version}`,
    ...Object.entries(contexts).map(([name, path]) => `--build-context=${name}=${path}`),
    ...args,
    join(REPOSITORY, 'shipped/image'),
  ]
}

/** Builds the image, showing how far it is. @returns the exit code */
export function buildImage(contexts: ImageContexts, args: readonly string[]): number {
  const [program, ...words] = imageCommand(contexts, args)
  return spawnSync(program, words, { stdio: 'inherit' }).status ?? 1
}
