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

/** A blob up to here is kept in memory for what is made of it. */
export const SMALL_BLOB_BYTES: number = 2 << 20

/** Of a packed layer; it is unpacked piece by piece, and other work goes on between them. */
const UNPACKED_BYTES = 8 << 20

/** A gzip file ends with the size of what it holds. Spec: RFC 1952, 2.3.1, ISIZE */
const GZIP_SIZE_BYTES = 4

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
    isSelfContained: (tar) => statSync(tar).size <= WRITTEN.bytes,
    rewriteTimes: ({ tar }) => statSync(tar).size <= WRITTEN.bytes,
    storeTar: ({ source }) => isSmallSource(source),
    unpackLayer: ({ source }) => isSmallSource(source),
    unpackTrees: ({ trees, format, mode }) => {
      const lowers = trees.flatMap((tree) => tree.lowers)
      // A tar may go to a pipe, which would have to be waited for.
      return format !== 'tar' && mode !== 'delete' && areSmallFolders(lowers, WRITTEN)
    },
  },
}

/** The other end of a ring would have to be waited for. What a blob claims to hold only decides where it is unpacked. */
function isSmallSource(source: LayerSource): boolean {
  if (source.kind !== 'memory') return false
  if (source.compression === 'none') {
    return source.chunks.reduce((sum, { length }) => sum + length, 0) <= UNPACKED_BYTES
  }
  // So many chunks have the last bytes, however they came.
  const end = Buffer.concat(source.chunks.slice(-GZIP_SIZE_BYTES))
  if (source.compression !== 'gzip' || end.length < GZIP_SIZE_BYTES) return false
  return end.readUInt32LE(end.length - GZIP_SIZE_BYTES) <= UNPACKED_BYTES
}
