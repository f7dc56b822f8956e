import { isCancelled } from '#core'
import type { RootFiles } from '../files/root-files.ts'
import type { Distribution, Package } from '../package/package.ts'

/** What readers of one kind of package get. */
export interface ReadDeps {
  readonly files: RootFiles
  readonly distribution: Distribution | undefined
  /** The distribution in package URLs. */
  readonly distro: string | undefined
  /** An empty folder. */
  readonly scratch: string
  readonly onProblem: (message: string) => void
}

/** The packages of one file; what cannot be read is a problem, and must not hide what others hold. */
export function* readable(
  source: string,
  packages: Iterable<Package>,
  { onProblem }: Pick<ReadDeps, 'onProblem'>,
): Generator<Package> {
  try {
    yield* packages
  } catch (cause) {
    if (isCancelled(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    onProblem(`no packages are listed of /${source}: ${reason}`)
  }
}
