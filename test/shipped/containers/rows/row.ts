import { COLUMNS, type Column } from '../support/builds.ts'
import type { Kind } from '../support/kinds.ts'

/** A kind of container, and what becomes of each build in it. */
export interface Row {
  readonly name: string
  readonly kind: Kind
  /** The builds that cannot be done there, with the exact error; all others equal the host's. */
  readonly fails: Failures
  /** What builds with a RUN say of steps that are less isolated than on a host. */
  readonly warnings: readonly string[]
  /** What single builds say besides. */
  readonly alsoWarns?: Readonly<Partial<Record<Column, string>>>
}

/** Errors by the builds that end with them. */
export type Failures = Readonly<Partial<Record<Column, string>>>

/** Options of `docker run`. */
export const UNCONFINED: readonly string[] = ['--security-opt', 'seccomp=unconfined']
export const NO_NEW_PRIVILEGES: readonly string[] = ['--security-opt', 'no-new-privileges']
export const USER: readonly string[] = ['--user', '1000']
export const READ_ONLY: readonly string[] = ['--read-only']

/** Every build with a RUN fails with this. */
export function allSteps(error: string): Failures {
  const failing = COLUMNS.filter((column) => column !== 'copies')
  return Object.fromEntries(failing.map((column) => [column, error]))
}
