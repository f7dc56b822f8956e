import type { RootFiles } from '../files/root-files.ts'
import type { Distribution } from '../package/package.ts'

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
