import type { ImageDocument, ReadImage } from './image.ts'
import type { TreeEntry } from './tree.ts'

/**
 * Files whose *content* holds times, and so differs between two runs of the same commands. Their
 * existence, type, mode and owner are compared like everything else's.
 */
const VOLATILE_CONTENT: readonly RegExp[] = [
  // What was installed when.
  /^\/var\/log\/(apt\/(history|term)\.log|dpkg\.log|alternatives\.log)$/,
  // ldconfig remembers modification times and inode numbers.
  /^\/var\/cache\/ldconfig\/aux-cache$/,
  // apt's index of its lists and of dpkg's status holds their modification times.
  /^\/var\/cache\/apt\/(src)?pkgcache\.bin$/,
]

/** Keys of a config document that tell when, where or by what it was made. */
const MAKER_KEYS = new Set(['created', 'container', 'container_config', 'docker_version'])

/** How `b` differs from `a`, one line a difference; empty when they are equal. */
export function compareImages(a: ReadImage, b: ReadImage): string[] {
  return [...compareTrees(a.tree, b.tree), ...compareConfigs(a.config, b.config)]
}

export function compareTrees(
  a: ReadonlyMap<string, TreeEntry>,
  b: ReadonlyMap<string, TreeEntry>,
): string[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort()
  return paths.flatMap((path) => {
    const left = a.get(path)
    const right = b.get(path)
    if (left === undefined) return [`${path}: only in the second`]
    if (right === undefined) return [`${path}: only in the first`]
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]) as Set<keyof TreeEntry>
    if (VOLATILE_CONTENT.some((pattern) => pattern.test(path))) keys.delete('content')
    return [...keys]
      .filter((key) => left[key] !== right[key])
      .map((key) => `${path}: ${key} ${left[key]} / ${right[key]}`)
  })
}

/** Compares all but times and the names of tools; of layers it compares only how many there are. */
function compareConfigs(a: ImageDocument, b: ImageDocument): string[] {
  const left = flatten(withoutMaker(a))
  const right = flatten(withoutMaker(b))
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort()
  return keys
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => `config ${key}: ${left.get(key)} / ${right.get(key)}`)
}

function withoutMaker(document: ImageDocument): object {
  const kept = Object.entries(document).filter(
    ([key]) => !MAKER_KEYS.has(key) && !key.startsWith('moby.buildkit.'),
  )
  return {
    ...Object.fromEntries(kept),
    rootfs: { layers: document.rootfs?.diff_ids.length },
    history: (document.history ?? []).map((entry) => ({
      step: stepOf(entry.created_by ?? ''),
      empty: entry.empty_layer === true,
    })),
  }
}

/**
 * The text of a history entry as far as releases of BuildKit agree on it: the maker's mark is cut,
 * of instructions that are printed as Go values only the name is kept, and of ARG the names (some
 * print the default, some the value that the build was given).
 */
function stepOf(text: string): string {
  return text
    .replace(/ # buildkit$/, '')
    .replace(/^(EXPOSE|HEALTHCHECK|VOLUME) .*$/s, '$1')
    .replace(/^(COPY|ADD) (--(chown|chmod|parents)(=\S+)? )*/, '$1 ')
    .replace(/^ARG .*$/s, (args) => args.replace(/=\S*/g, ''))
}

function flatten(value: unknown, path = '', into: Map<string, string> = new Map()): typeof into {
  // Go programs write an absent list as null.
  if (value === null) return into
  if (typeof value !== 'object') return into.set(path, JSON.stringify(value))
  if (Array.isArray(value)) into.set(`${path}.length`, `${value.length}`)
  for (const [key, item] of Object.entries(value)) flatten(item, `${path}.${key}`, into)
  return into
}
