import type { NewBuildTrace, Store } from '#cache'
import { type OnEvent, TsbuildError, throwIfCancelled } from '#core'
import { explainTrace } from './explain-trace.ts'
import type { BuildExplanation } from './report/explanation.ts'
import { traceDocument } from './trace/trace.ts'
import type { TraceRecorder } from './trace/trace-recorder.ts'

/** What is done with the trace of a build. */
export interface KeptTrace extends Pick<NewBuildTrace, 'context' | 'dockerfile'> {
  readonly store: Store
  /** Gets why steps ran; absent: that is not found out. */
  readonly onExplanation: ((explanation: BuildExplanation) => void) | undefined
  readonly onEvent: OnEvent
  readonly signal: AbortSignal | undefined
}

/** An id that every stored trace is before. */
const LAST = Number.MAX_SAFE_INTEGER

/**
 * Stores what a build did, if it executed a step, and explains that. To be called when the build has ended,
 * whether or not it succeeded: no failure here is one of the build.
 */
export async function keepTrace(recorder: TraceRecorder, kept: KeptTrace): Promise<void> {
  const { store, context, dockerfile, onExplanation, onEvent, signal } = kept
  if (!recorder.hasRun && onExplanation === undefined) return
  const vertices = recorder.vertices()
  const place = { context, dockerfile, createdAt: new Date() }
  const id = recorder.hasRun
    ? storeTrace(store, { ...place, document: traceDocument(vertices) })
    : LAST
  // Without a plan the build has failed before there were any steps.
  if (onExplanation === undefined || vertices.length === 0) return
  try {
    throwIfCancelled(signal, 'explain the build')
    onExplanation(await explainTrace({ ...place, id, vertices }, store))
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    if (cause.code === 'CANCELLED') return
    onEvent({ type: 'warning', message: `it cannot be said why steps ran: ${cause.message}` })
  }
}

/** A full disk, say, takes away only what a later question would be answered with. */
function storeTrace({ traces }: Store, trace: NewBuildTrace): number {
  try {
    return traces.put(trace)?.id ?? LAST
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    return LAST
  }
}
