import { type FileStat, type Name, textOfName } from '#core'
import { ignoreRules, matchPath } from '#parser'
import type { CopyAction } from './action.ts'

/** `look`: not copied for its own sake, but something below it may be. */
type Verdict = 'take' | 'skip' | 'look'

/** What happens to an entry, by its path relative to what was selected. */
export type EntryFilter = (name: Name, stat: FileStat) => Verdict

/** `--exclude`; `undefined` when there is none. */
export function excludeFilter(patterns: readonly string[]): EntryFilter | undefined {
  // The paths that are compared have no leading slash, and unlike .dockerignore, a pattern keeps its own.
  const possible = patterns.filter((pattern) => !/^\s*!?\//.test(pattern))
  if (possible.length === 0) return undefined
  const rules = ignoreRules(possible)
  return (name, stat) => {
    const path = textOfName(name)
    if (!rules.isIgnored(path)) return 'take'
    return stat.type === 'directory' && rules.mayContainIncluded(path) ? 'look' : 'skip'
  }
}

/** `--parents`: what `pattern` matches, everything below that, and less what is excluded. */
export function parentsFilter(pattern: string, action: CopyAction): EntryFilter {
  const exclude = excludeFilter(action.exclude)
  const isIncluded = action.wildcards ? wildcardInclude(pattern) : literalInclude(pattern)
  const parts = pattern.split('/')
  return (name, stat) => {
    const path = textOfName(name)
    const verdict = exclude?.(name, stat) ?? 'take'
    if (isIncluded(path)) return verdict
    if (verdict === 'skip' || stat.type !== 'directory') return 'skip'
    return leadsTo(parts, path.split('/'), action) ? 'look' : 'skip'
  }
}

function wildcardInclude(pattern: string): (path: string) => boolean {
  // A leading exclamation mark is part of the name here.
  const rules = ignoreRules([pattern.startsWith('!') ? `\\${pattern}` : pattern])
  return (path) => pattern === '' || rules.isIgnored(path)
}

function literalInclude(pattern: string): (path: string) => boolean {
  return (path) => pattern === '' || path === pattern || path.startsWith(`${pattern}/`)
}

/** Whether something below `path` can match. */
function leadsTo(pattern: readonly string[], path: readonly string[], action: CopyAction): boolean {
  for (const [index, name] of path.entries()) {
    const part = pattern[index]
    if (part === undefined) return false
    if (action.wildcards && part.includes('**')) return true
    if (action.wildcards ? !matchPath(part, name) : part !== name) return false
  }
  return path.length < pattern.length
}
