import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { ioError, TsbuildError } from '#core'
import { checkDelete, checkFile, checkFolder, pathOf } from './archive/check-destination.ts'
import { openDestination, sendFile } from './archive/destination.ts'
import type { Exported, Exporter } from './exporter.ts'

/** The files of the image: into a folder as the current user's, or as one tar. */
interface FilesOutput {
  readonly type: 'local' | 'tar'
  readonly dest: string | Writable
  /**
   * `delete`: of what the folder holds, only what the image has stays. A folder that does not lie
   * below the working directory needs the right `buildx.local.delete`. Default: `copy`.
   */
  readonly mode?: 'copy' | 'delete'
  /** Each image has a folder of its own: `linux_amd64`. Default: where there are several. */
  readonly platformSplit?: boolean
  /** Before the names of files with what is said of the images. */
  readonly attestationPrefix?: string
}

/** Writes the files of images. */
export const filesExporter: Exporter<FilesOutput> = {
  takes: 'files',
  compression: () => 'none',
  check: ({ mode, platformSplit, attestationPrefix = '' }, { isIndex }) => {
    if (/[/\0]/.test(attestationPrefix)) {
      throw new TsbuildError(`invalid attestation-prefix ${JSON.stringify(attestationPrefix)}`, {
        code: 'USAGE',
        hint: 'it is the beginning of the name of a file, without a folder',
      })
    }
    if (mode !== 'delete' || platformSplit !== false || !isIndex) return
    throw new TsbuildError('mode=delete needs a folder for each of several platforms', {
      code: 'USAGE',
      hint: 'leave out mode=delete or platform-split=false',
    })
  },
  checkDestination: (output, { allow }) => {
    const { type, dest, mode } = output
    if (type === 'local') checkFolder(dest)
    else checkFile(dest)
    if (mode === 'delete') checkDelete(output, allow)
  },
  send: (output, exported) => {
    return exported.report(`exporting to ${output.type}`, async () => {
      await write(output, exported)
      return undefined
    })
  },
}

async function write(
  { type: format, dest, mode = 'copy', platformSplit, attestationPrefix }: FilesOutput,
  { store, writeTrees, signal }: Exported,
): Promise<void> {
  const options = { format, mode, platformSplit, attestationPrefix }
  if (format === 'local') return writeTrees(pathOf(dest), options)
  const destination = openDestination(dest)
  try {
    if (destination.kind === 'file') {
      using file = destination.file
      await writeTrees(file.descriptor, options)
      file.commit()
      return
    }
    await using temporary = store.temporary()
    const aside = join(temporary.path, 'tree.tar')
    await writeTrees(aside, options)
    await sendFile(aside, destination, signal)
  } catch (cause) {
    throw ioError('write the tar', cause)
  }
}
