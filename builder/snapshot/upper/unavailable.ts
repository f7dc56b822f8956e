import { errnoOf, TsbuildError } from '#core'

/** The failure to show again what was written before. @param what `what steps write` */
export function notKeptError(what: string): TsbuildError {
  return new TsbuildError(`${what} does not last`, {
    code: 'SNAPSHOT_UNAVAILABLE',
    hint: 'put the store on a file system that overlayfs can write to, or use --snapshotter copies',
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
