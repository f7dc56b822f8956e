import {
  type FileStat,
  joinName,
  type Name,
  parentOf,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'

/** The most links that are followed on one path: as many as filepath-securejoin follows. */
export const MAX_LINKS = 255

/**
 * The path in `tree` that `path` means to a process whose root is the tree. Symbolic links are
 * followed (the last component's only with `followLast`), an absolute link starts again at the
 * root, and `..` stops there. From the first missing component on, names are kept as they are.
 * @throws {TsbuildError} NOT_FOUND after 255 links
 */
export function resolveInTree(
  tree: Tree,
  path: Name,
  options: { readonly followLast: boolean },
): Name {
  const rest = componentsOf(path).reverse()
  let current = '' as Name
  let missing = false
  let links = 0
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '..') {
      current = parentOf(current)
      missing &&= current !== '' && tree.lstat(current) === undefined
      continue
    }
    const next = joinName(current, name)
    const stat: FileStat | undefined = missing ? undefined : tree.lstat(next)
    if (stat?.type !== 'symlink' || (rest.length === 0 && !options.followLast)) {
      missing ||= stat === undefined
      current = next
      continue
    }
    links += 1
    if (links > MAX_LINKS) throw tooManyLinksError(path)
    const target = tree.readlink(next)
    if (target.startsWith('/')) current = '' as Name
    rest.push(...componentsOf(target).reverse())
  }
  return current
}

/** The names in a path, without empty ones and `.`. */
export function componentsOf(path: Name): Name[] {
  return path.split('/').filter((name) => name !== '' && name !== '.') as Name[]
}

function tooManyLinksError(path: Name): TsbuildError {
  return new TsbuildError(
    `resolve ${JSON.stringify(textOfName(path))}: too many levels of symbolic links`,
    { code: 'NOT_FOUND', hint: 'the symbolic links on this path lead back to themselves' },
  )
}
