import type { ImageDocument } from '../../peers/index.ts'
import type { WitnessName } from '../cases/witness-name.ts'
import type { BuiltImage } from './built-image.ts'
import { compareValues, flatten, type Values } from './compare-values.ts'
import { mergeLayers, type TimedEntry } from './merged-tree.ts'
import { commonWords, fromOldWords } from './old-words.ts'

/** Keys of a config document that are compared otherwise. */
const LEFT_OUT = new Set(['created', 'history', 'rootfs'])

export interface ComparedBy {
  /** Seconds; see `mergeLayers`. */
  readonly since: number
  readonly witness: WitnessName
}

/**
 * How `theirs` differs from `ours`, one line a difference, which begins with what differs:
 * `config.Env[1]`, `history[2].created_by`, `layers`, `/path mode`.
 */
export function compareBuilt(ours: BuiltImage, theirs: BuiltImage, by: ComparedBy): string[] {
  const { since, witness } = by
  return [
    ...compareValues(documentOf(ours.config, by), documentOf(theirs.config, by)),
    ...compareValues(
      new Map([['layers', `${ours.layers.length}`]]),
      new Map([['layers', `${theirs.layers.length}`]]),
    ),
    ...compareTrees(mergeLayers(ours.layers, since), mergeLayers(theirs.layers, since), witness),
  ]
}

type Tree = ReadonlyMap<string, TimedEntry>

function documentOf(document: ImageDocument, { since, witness }: ComparedBy): Values {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(document)) {
    if (!LEFT_OUT.has(key) && !key.startsWith('moby.buildkit.')) flatten(value, key, values)
  }
  const words = (text: string): string =>
    witness === 'docker.io' ? commonWords(fromOldWords(text)) : text
  const history = (document.history ?? []).map((entry) => ({
    ...entry,
    created: witness === 'docker.io' ? undefined : timeOf(entry.created, since),
    created_by: words(entry.created_by ?? ''),
  }))
  flatten(history, 'history', values)
  if (witness === 'newest') flatten(timeOf(document.created, since), 'created', values)
  return values
}

/** Only times from before the build are compared; docker.io's release knows no others. */
function timeOf(created: unknown, since: number): unknown {
  return Date.parse(String(created)) >= since * 1000 ? undefined : created
}

/** The time of the folder itself of a context, of a repository, and of nothing. */
const ROOT_TIMES: readonly string[] = ['1000000000', '1600000000', '0']

/**
 * Compares everything but the times of some directories that only BuildKit made new. What is copied of
 * the root of a context has the time of that folder here, and is the same in the next build; there it
 * has the time of the build. docker.io's release leaves the time at which it wrote into a directory
 * in other places than later ones, so with it no such time is compared.
 */
function compareTrees(ours: Tree, theirs: Tree, witness: WitnessName): string[] {
  const compared = new Map(theirs)
  for (const [path, entry] of theirs) {
    const other = ours.get(path)
    if (entry.type !== 'directory' || other?.type !== 'directory' || entry.mtime !== 'now') continue
    if (witness === 'newest' && !ROOT_TIMES.includes(other.mtime)) continue
    compared.set(path, { ...entry, mtime: other.mtime })
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
