import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { ioError } from '#core'
import { openDestination, sendFile } from './archive/destination.ts'
import { checkDelete, checkFile, checkFolder, pathOf } from './archive/check-destination.ts'
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
}

/** Writes the files of images. */
export const filesExporter: Exporter<FilesOutput> = {
  takes: 'files',
  compression: () => 'none',
  check: () => undefined,
  checkDestination: (output, { allow }) => {
    const { type, dest, mode } = output
    if (type === 'local') checkFolder(dest)
    else checkFile(dest)
    if (mode === 'delete') checkDelete(output, allow)
  },
  send: async (output, exported) => {
    await exported.report(`exporting to ${output.type}`, () => write(output, exported))
    return undefined
  },
}

async function write(
  { type: format, dest, mode = 'copy' }: FilesOutput,
  { store, writeTrees, signal }: Exported,
): Promise<void> {
  if (format === 'local') return writeTrees(pathOf(dest), { format, mode })
  const destination = openDestination(dest)
  try {
    if (destination.kind === 'file') {
      using file = destination.file
      await writeTrees(file.descriptor, { format, mode })
      file.commit()
      return
    }
    await using temporary = store.temporary()
    const aside = join(temporary.path, 'tree.tar')
    await writeTrees(aside, { format, mode })
    await sendFile(aside, destination, signal)
  } catch (cause) {
    throw ioError('write the tar', cause)
  }
}
