/**
 * Which tasks are so small that the thread which asks for them does them itself: a few milliseconds, where
 * a thread costs 45 ms of processor time to start. That is known before they begin, so nothing has to be
 * undone: what they read is looked at up to a bound.
 */
import { statSync } from 'node:fs'
import type { SmallTasks } from '#builder/threads'
import { typedFailure } from '#core'
import { areSmallFolders } from './limits/small-folders.ts'
import type { WorkLimit } from './limits/work-meter.ts'
import type { LayerSource } from './tasks/blob.ts'
import { isWithin } from './tasks/checksum.ts'
import type * as tasks from './tasks/index.ts'

/** For files that are written: about 10 ms. */
const WRITTEN: WorkLimit = { looks: 300, bytes: 4 << 20 }

/** For files of which nothing but times is read: about 5 ms. */
const LOOKED_AT: WorkLimit = { looks: 1500, bytes: Number.POSITIVE_INFINITY }

/** Of a blob; it is unpacked piece by piece, and other work goes on between them. */
const BLOB_BYTES = 2 << 20

/** The small tasks of file workers. */
export const SMALL_FILE_TASKS: SmallTasks<typeof tasks> = {
  load: () => import('./tasks/index.ts'),
  toError: (failure) => typedFailure('work on files', failure),
  isSmall: {
    changedSince: ({ directory }) => areSmallFolders([directory], LOOKED_AT),
    checkLayer: ({ source }) => isSmallSource(source),
    clampTimes: ({ directory }) => areSmallFolders([directory], WRITTEN),
    copyFiles: (task) => {
      const unpacks = task.actions.some((one) => one.kind === 'copy' && one.unpack === 'auto')
      // The other end of a ring is another thread, which would have to be waited for.
      return task.reader === undefined && !unpacks && isWithin(task, WRITTEN)
    },
    copyUpper: ({ from }) => areSmallFolders([from], WRITTEN),
    digestLayer: ({ directory }) => areSmallFolders([directory], WRITTEN),
    packLayer: ({ directory }) => areSmallFolders([directory], WRITTEN),
    rewriteTimes: ({ tar }) => isSmallFile(tar, WRITTEN.bytes),
    unpackLayer: ({ source }) => isSmallSource(source),
    unpackTrees: ({ trees, format, mode }) => {
      const directories = trees.flatMap((tree) => tree.directories)
      // A tar may go to a pipe, which would have to be waited for.
      return format !== 'tar' && mode !== 'delete' && areSmallFolders(directories, WRITTEN)
    },
  },
}

/** What is in memory was found to be small. The other end of a ring would have to be waited for. */
function isSmallSource(source: LayerSource): boolean {
  if (source.kind === 'file') return isSmallFile(source.path, BLOB_BYTES)
  return source.kind === 'bytes'
}

function isSmallFile(path: string, bytes: number): boolean {
  return statSync(path).size <= bytes
}
