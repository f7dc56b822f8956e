import { resolveInTree } from '#builder/layer'
import {
  baseOf,
  joinName,
  type Name,
  nameOf,
  parentOf,
  suggestion,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'
import type { OverlayDraft } from './overlay-draft.ts'
import { componentsOf, shown } from './paths.ts'

const MAX_NAMES = 10
const ADVICE =
  'paths are relative to the build context, where .dockerignore may exclude it, or to the root of the stage'

/** A source that is not there. */
export function notFoundError(
  tree: Tree,
  path: Name,
  hint: string = hintFor(tree, path),
): TsbuildError {
  return new TsbuildError(`${JSON.stringify(shown(path))}: not found`, { code: 'NOT_FOUND', hint })
}

/** Why nothing of the directory `start` matches what follows it in a pattern. */
export function describeMismatch(tree: Tree, start: Name): string {
  return tree.lstat(start)?.type === 'directory'
    ? `${listing(tree, start)}; .dockerignore may exclude more`
    : `${shown(start)} is not a directory`
}

/**
 * That one of the directories on the way to `path` is a symbolic link, which `--parents` does not
 * follow; `undefined` where none is.
 */
export function describeLinkBeforeParents(tree: Tree, path: Name): string | undefined {
  let at = '' as Name
  for (const name of componentsOf(path)) {
    at = joinName(at, name)
    if (tree.lstat(at)?.type !== 'symlink') continue
    const isLast = at === path
    const resolved = resolveInTree(tree, path, { followLast: isLast })
    const advice = tree.lstat(resolved) === undefined ? '' : `: name ${shown(resolved)} instead`
    return `${shown(at)} is a symbolic link to ${linkText(tree, at)}, which --parents does not follow${advice}`
  }
  return undefined
}

/** What is in the way of something that is copied to `path`. */
export function describeObstacle(draft: OverlayDraft, path: Name): string {
  const type = draft.lstat(path)?.type
  if (type !== 'symlink') {
    return `a ${type === 'directory' ? type : 'file'} of that name is in the image already`
  }
  const text = textOfName(draft.readlink(path))
  const resolved = draft.resolve(path)
  const isDirectory = draft.lstat(resolved)?.type === 'directory'
  const advice = isDirectory ? `: put what is copied there into ${shown(resolved)} instead` : ''
  return `${shown(path)} is a symbolic link to ${text} in the image${advice}`
}

/** The first link on the way that leads to nothing. */
function danglingLink(tree: Tree, path: Name): Name | undefined {
  let before = '' as Name
  for (const name of componentsOf(path)) {
    const link = joinName(resolveInTree(tree, before, { followLast: true }), name)
    before = joinName(before, name)
    if (tree.lstat(link)?.type !== 'symlink') continue
    if (tree.lstat(resolveInTree(tree, link, { followLast: true })) === undefined) return link
  }
  return undefined
}

function hintFor(tree: Tree, path: Name): string {
  const parent = parentOf(path)
  const link = danglingLink(tree, path)
  if (link !== undefined) {
    return `${shown(link)} is a symbolic link to ${linkText(tree, link)}; links are followed inside the build context, or the stage, only, and that is not there`
  }
  const directory = resolveInTree(tree, parent, { followLast: true })
  if (tree.lstat(directory)?.type !== 'directory') return `there is no ${shown(parent)}; ${ADVICE}`
  const names = tree.readdir(directory).map(textOfName)
  const similar = suggestion(textOfName(baseOf(path)), names)
  if (similar !== undefined) return `did you mean ${shown(joinName(parent, nameOf(similar)))}?`
  return `${listing(tree, directory, parent)}; ${ADVICE}`
}

function listing(tree: Tree, directory: Name, name: Name = directory): string {
  const names = tree.readdir(directory).map(textOfName)
  if (names.length === 0) return `${shown(name)} is empty`
  const some = names.slice(0, MAX_NAMES).join(', ')
  return `in ${shown(name)} there is: ${some}${names.length > MAX_NAMES ? ', …' : ''}`
}

function linkText(tree: Tree, path: Name): string {
  return textOfName(tree.readlink(path))
}
