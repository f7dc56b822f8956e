import type { Name } from '#core'
import type { CopyAction, FileAction } from './action.ts'
import { belowRoot } from './paths.ts'

const MAY_BE_PATTERN = /[*?[\\]/

/**
 * What actions copy, where that is all that is at these paths of one source; `undefined` where patterns select
 * something of it. A link is not followed.
 */
export function plainPaths(actions: readonly FileAction[]): readonly Name[] | undefined {
  const copies = actions.filter((action) => action.kind === 'copy')
  return copies.every(isPlain) ? copies.flatMap(({ paths }) => paths.map(belowRoot)) : undefined
}

function isPlain({ paths, exclude, parents, wildcards }: CopyAction): boolean {
  const hasPatterns = wildcards && paths.some((path) => MAY_BE_PATTERN.test(path))
  return exclude.length === 0 && !parents && !hasPatterns
}
