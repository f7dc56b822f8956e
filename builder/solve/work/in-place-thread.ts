import type { InPlaceSettings, runStepInPlace } from '#builder/sandbox'
import type { RootSettings, rootTasks } from '#builder/snapshot'
import { TaskThread } from '#builder/threads'

/** The thread that makes the root show the layers of a step in place, runs it, and takes its changes. */
export type InPlaceThread = TaskThread<
  typeof rootTasks & { readonly runStepInPlace: typeof runStepInPlace }
>

/** What the thread is started with: for the sandbox and for the snapshots. */
export type InPlaceThreadSettings = InPlaceSettings & Pick<RootSettings, 'watched'>

/**
 * A thread for all steps in place, which starts at the first request. One is enough: only the step that
 * has the root requests anything, and never two things at once.
 */
export function inPlaceThread(settings: InPlaceThreadSettings): InPlaceThread {
  const all: InPlaceSettings & RootSettings = { ...settings, keep: settings.kept }
  const script = new URL('./in-place-worker.js', import.meta.url)
  return new TaskThread({ doing: 'run steps in place', script, settings: all })
}
