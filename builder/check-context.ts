import { statSync } from 'node:fs'
import { TsbuildError } from '#core'

/** @throws {TsbuildError} CONTEXT_INVALID unless it is a folder */
export function checkContext(directory: string): void {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return
  const problem = stat === undefined ? 'not found' : 'is not a directory'
  throw new TsbuildError(
    `unable to prepare context: path ${JSON.stringify(directory)} ${problem}`,
    {
      code: 'CONTEXT_INVALID',
      hint: 'the build context is a folder, usually "."',
    },
  )
}
