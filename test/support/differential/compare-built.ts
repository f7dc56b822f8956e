import type { ImageDocument } from '../peers/index.ts'
import type { BuiltImage } from './built-image.ts'
import { mergeLayers, type TimedEntry } from './merged-tree.ts'
import { commonWords, fromOldWords } from './old-words.ts'

/** Keys of a config document that tell when or by what it was made, or that are compared otherwise. */
const LEFT_OUT = new Set(['created', 'history', 'rootfs'])

/**
 * How `theirs` differs from `ours`, one line a difference, which begins with what differs:
 * `config.Env[1]`, `history[2].created_by`, `layers`, `/path mode`.
 * @param since seconds; see `mergeLayers`
 */
export function compareBuilt(ours: BuiltImage, theirs: BuiltImage, since: number): string[] {
  return [
    ...compareValues(documentOf(ours.config), documentOf(theirs.config)),
    ...compareValues(
      new Map([['layers', `${ours.layers.length}`]]),
      new Map([['layers', `${theirs.layers.length}`]]),
    ),
    ...compareTrees(mergeLayers(ours.layers, since), mergeLayers(theirs.layers, since)),
  ]
}

type Values = ReadonlyMap<string, string>
type Tree = ReadonlyMap<string, TimedEntry>

function compareValues(ours: Values, theirs: Values): string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((key) => ours.get(key) !== theirs.get(key))
    .map((key) => `${key}: here ${ours.get(key) ?? 'none'}, BuildKit ${theirs.get(key) ?? 'none'}`)
}

function documentOf(document: ImageDocument): Values {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(document)) {
    if (!LEFT_OUT.has(key) && !key.startsWith('moby.buildkit.')) flatten(value, key, values)
  }
  const history = (document.history ?? []).map((entry) => ({
    ...entry,
    created: undefined,
    created_by: commonWords(fromOldWords(entry.created_by ?? '')),
  }))
  flatten(history, 'history', values)
  return values
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  // Go programs write an absent list as null.
  if (value === null || value === undefined) return
  if (typeof value !== 'object') {
    into.set(path, JSON.stringify(value))
    return
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) flatten(item, `${path}[${index}]`, into)
    return
  }
  const entries = Object.entries(value)
  if (entries.length === 0) into.set(path, '{}')
  for (const [key, item] of entries) flatten(item, `${path}.${key}`, into)
}

/**
 * Compares everything but the times of directories that only BuildKit made new: it sends a context in
 * parts, and a directory of it is as new as what was sent last.
 */
function compareTrees(ours: Tree, theirs: Tree): string[] {
  const compared = new Map(theirs)
  for (const [path, entry] of theirs) {
    const other = ours.get(path)
    const isDirectory = entry.type === 'directory' && other?.type === 'directory'
    if (isDirectory && entry.mtime === 'now') compared.set(path, { ...entry, mtime: other.mtime })
  }
  return compareValues(valuesOf(ours), valuesOf(compared))
}

function valuesOf(tree: Tree): Values {
  const values = new Map<string, string>()
  for (const [path, entry] of tree) {
    for (const [key, value] of Object.entries(entry)) values.set(`${path} ${key}`, value)
  }
  return values
}
