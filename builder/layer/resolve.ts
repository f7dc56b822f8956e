import type { Name, Tree } from '#core'

/** Resolves symbolic links as after `chroot` into the tree; missing tail components are kept. */
export function resolveInTree(
  tree: Tree,
  path: Name,
  options: { readonly followLast: boolean },
): Name {
  throw new Error(`not yet ${tree} ${path} ${options}`)
}
