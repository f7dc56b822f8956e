import { tmpdir } from 'node:os'
import type { Builder } from './builder.ts'
import { freshFileSystem } from './fresh-file-system.ts'

/** The folder for temporary files when the program was started. */
const SYSTEM_TEMPORARY = tmpdir()

/**
 * Starts a builder with a file system of its own for its storage and temporary files: what one of them
 * deletes while it builds would slow down the one that is measured next (see `freshFileSystem`).
 */
export async function onOwnDisk(start: () => Promise<Builder>): Promise<Builder> {
  await using starting = new AsyncDisposableStack()
  const disk = starting.use(await inFolder(SYSTEM_TEMPORARY, freshFileSystem))
  const there = <T>(work: () => Promise<T>): Promise<T> => inFolder(disk.path, work)
  const builder = starting.use(await there(start))
  const started = starting.move()
  return {
    name: builder.name,
    reset: (bases) => there(() => builder.reset(bases)),
    build: (context, wish) => there(() => builder.build(context, wish)),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** With `folder` for temporary files. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = tmpdir()
  process.env.TMPDIR = folder
  try {
    return await work()
  } finally {
    process.env.TMPDIR = before
  }
}
