import { hasHiddenDeletions } from '#builder/layer'
import { errnoOf, TsbuildError } from '#core'

/** @throws {TsbuildError} SNAPSHOT_UNAVAILABLE where layers have deletions that would not be seen */
export function requireVisibleDeletions(
  lower: readonly string[],
  by: Parameters<typeof hasHiddenDeletions>[1],
): void {
  if (!hasHiddenDeletions(lower, by)) return
  throw new TsbuildError('the file system of the store has no form of deletions that it reads', {
    code: 'SNAPSHOT_UNAVAILABLE',
    hint: 'put the store on another file system (a volume, --root), or use --snapshotter copies',
  })
}

/** What a failed system call means to who asks for snapshots: this host has none of this kind. */
export function unavailableError(doing: string, cause: unknown): TsbuildError {
  if (errnoOf(cause) === undefined || !(cause instanceof Error)) throw cause
  return new TsbuildError(`${doing}: ${cause.message}`, {
    code: 'SNAPSHOT_UNAVAILABLE',
    cause,
    hint: 'choose another --snapshotter, or leave the choice to tsbuild',
  })
}
