import { isCancelled, TsbuildError } from '#core'

/** The error for a peer, a thread or an end of a ring, that ended in the middle of a task. */
export function peerGoneError(message: string, cause?: unknown): TsbuildError {
  return new TsbuildError(message, {
    code: 'PEER_GONE',
    cause,
    hint: 'a part of tsbuild ended too early (out of memory?); run it again',
  })
}

/**
 * Of the failures of threads that work together, the one that caused the others: a thread whose peer
 * failed reports only PEER_GONE.
 */
export function originalFailure(failures: readonly unknown[]): unknown {
  const ranked = failures.map((failure) => ({ failure, rank: rankOf(failure) }))
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.failure
}

function rankOf(failure: unknown): number {
  if (isCancelled(failure)) return 1
  if (!(failure instanceof TsbuildError) || failure.code !== 'PEER_GONE') return 0
  // A thread that ended has a cause, a ring that was broken has none.
  return failure.cause === undefined ? 3 : 2
}
