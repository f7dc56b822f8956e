import { accessSync, constants, lstatSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BuildResult } from '#builder'
import { PendingFile } from '#builder/linux'
import { errnoOf, ioError, isIndexType, parsePlatform, randomName } from '#core'

/**
 * Removes the result of an earlier build at `path`, which a failed build would leave there, and checks
 * that the result can be written before any work is done.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED
 */
export function prepareResultFile(path: string): void {
  if (!isReplaceable(path)) return
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    if (isFile(path)) unlinkSync(path)
  } catch (cause) {
    if (!hasToStay(path, cause)) throw ioError(`write ${path}`, cause)
    truncateSync(path)
  }
}

/**
 * Writes a whole file or nothing; what cannot be replaced is written to as it is: a device, a pipe
 * (`/dev/stdout`), a file that is a mount (`/dev/termination-log`).
 * @param mode of a file that is made; the umask takes from it
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED, NO_SPACE
 */
export function writeResultFile(path: string, content: string, mode: number = 0o666): void {
  try {
    if (isReplaceable(path)) replaceFile(path, content, mode)
    else writeFileSync(path, content)
  } catch (cause) {
    if (!hasToStay(path, cause)) throw ioError(`write ${path}`, cause)
    writeFileSync(path, content)
  }
}

function replaceFile(path: string, content: string, mode: number): void {
  using file = new PendingFile(path, mode)
  writeFileSync(file.descriptor, content)
  file.commit({ flush: true })
}

/**
 * What `--metadata-file` holds: buildx's keys, as far as they have a meaning here. The reference of the build is
 * a name for this run: there is nothing to look up by it.
 */
export function buildMetadata(result: BuildResult): string {
  const { descriptor, imageId, tags, images } = result
  const isIndex = descriptor !== undefined && isIndexType(descriptor.mediaType)
  const [first] = images
  const platform = isIndex || first === undefined ? {} : { platform: parsePlatform(first.platform) }
  const document = {
    'buildx.build.ref': `tsbuild/tsbuild/${randomName(25)}`,
    ...(imageId === undefined || isIndex ? {} : { 'containerimage.config.digest': imageId }),
    ...(descriptor === undefined
      ? {}
      : {
          'containerimage.descriptor': { ...descriptor, ...platform },
          'containerimage.digest': descriptor.digest,
        }),
    ...(tags.length === 0 ? {} : { 'image.name': tags.join(',') }),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function isReplaceable(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat === undefined || stat.isFile()
}

/** Of a mount, and of a folder that may not be changed. */
const NOT_REPLACED: ReadonlySet<string | undefined> = new Set(['EBUSY', 'EACCES', 'EPERM', 'EROFS'])

/** Whether a file could not be replaced, and can be written to. */
function hasToStay(path: string, failure: unknown): boolean {
  if (!NOT_REPLACED.has(errnoOf(failure)) || !isFile(path)) return false
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}
