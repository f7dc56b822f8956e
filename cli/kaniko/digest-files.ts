import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BuildResult } from '#builder'
import { ioError, unsupportedError, usageError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import { prepareResultFile, writeResultFile } from '../io/result-files.ts'

/** A file that tells what was built. */
export interface DigestFile {
  readonly path: string
  /** Text of the file for an image with this digest and these canonical names. */
  readonly text: (digest: string, names: readonly string[]) => string
}

/** Files by the flag that asks for them, with what they say. */
const FILES: Readonly<Record<string, DigestFile['text']>> = {
  'digest-file': (digest) => digest,
  'image-name-with-digest-file': (digest, names) => linesOf(names.map(repositoryOf), digest),
  'image-name-tag-with-digest-file': (digest, names) => linesOf(names, digest),
}

/**
 * The files that the flags ask for.
 * @throws {TsbuildError} USAGE for names of an image without a destination, UNSUPPORTED for a URL
 */
export function parseDigestFiles(
  args: Arguments,
  destinations: readonly string[],
): readonly DigestFile[] {
  return Object.entries(FILES).flatMap(([flag, text]) => {
    const path = args.text(flag) ?? ''
    if (path === '') return []
    if (/^https?:\/\//.test(path)) {
      const hint = 'write a file, and send it in a further step'
      throw unsupportedError(`--${flag} with a URL is not supported`, hint)
    }
    if (destinations.length === 0 && flag !== 'digest-file') {
      throw usageError(`you must provide --destination if setting --${flag}`)
    }
    return [{ path, text }]
  })
}

/** Makes their folders, and finds out before the build that they can be written. @throws {TsbuildError} PERMISSION_DENIED, IO_FAILED */
export function prepareDigestFiles(files: readonly DigestFile[]): void {
  for (const { path } of files) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
    prepareResultFile(path)
  }
}

/** @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED, NO_SPACE */
export function writeDigestFiles(files: readonly DigestFile[], result: BuildResult): void {
  const { digest, tags } = result
  // Every output that kaniko's flags can ask for is of an image.
  if (digest === undefined) throw new Error('an image has a digest')
  for (const { path, text } of files) writeResultFile(path, text(digest, tags), 0o644)
}

/** `NAME@DIGEST` of each name, a line each. */
function linesOf(names: readonly string[], digest: string): string {
  return names.map((name) => `${name}@${digest}\n`).join('')
}

/** A canonical name without its tag. */
export function repositoryOf(name: string): string {
  return name.replace(/:[^:/]*$/, '')
}
