/**
 * A copy of layers that stays: what is written to it is found by comparing it with the layers, since nothing
 * remembers what it showed at first.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { TaskThread } from '#builder/threads'
import { removeTree } from '#disk'
import type { Snapshot } from '../spec/snapshotter.ts'
import { notKeptError } from '../upper/unavailable.ts'
import type * as tasks from './copies-tasks.ts'

/** Opens the copy at `directory`, and makes it where it is missing or was not completed. */
export async function openKeptCopy(
  directory: string,
  lower: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const root = `${directory}/root`
  const complete = `${directory}/complete`
  if (existsSync(`${directory}/upper`)) throw notKeptError('what was written to an overlay')
  if (!existsSync(complete)) {
    await removeTree(root)
    mkdirSync(root, { recursive: true, mode: 0o700 })
    await inThread(root, (thread) => thread.run('place', lower, { signal }))
    mkdirSync(complete)
  }
  return {
    root: { type: 'bind', target: '/', source: root, readonly: false, labelled: true },
    changes: async () => {
      const to = `${directory}/changes`
      await removeTree(to)
      const difference = { directory: root, lower, to }
      await inThread(root, (thread) => thread.run('writeDifference', difference, { signal }))
      return to
    },
    altered: () => undefined,
    exhausted: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

type CopiesThread = TaskThread<typeof tasks>

/** Does `work` in a thread of its own. */
async function inThread(
  directory: string,
  work: (thread: CopiesThread) => Promise<unknown>,
): Promise<void> {
  const script = new URL('./copies-worker.js', import.meta.url)
  const thread: CopiesThread = new TaskThread<typeof tasks>({
    ...{ doing: 'copy layers', script, settings: directory },
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  })
  try {
    await work(thread)
  } finally {
    await thread.close()
  }
}
