import { errnoOf, TsbuildError } from '#core'

/** What a failed system call means to who asks for snapshots: this host has none of this kind. */
export function unavailableError(doing: string, cause: unknown): TsbuildError {
  if (errnoOf(cause) === undefined || !(cause instanceof Error)) throw cause
  return new TsbuildError(`${doing}: ${cause.message}`, {
    code: 'SNAPSHOT_UNAVAILABLE',
    cause,
    hint: 'choose another --snapshotter, or leave the choice to tsbuild',
  })
}
