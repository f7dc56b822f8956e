import { canonicalName } from '#builder'
import type { Store } from '#cache'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { formatBytes } from '../terminal/text.ts'
import { findImage, nameOrUndefined } from './local-images.ts'
import { openLocalStore } from './local-store.ts'

/** `tsbuild tag` */
export async function runTag(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild tag [flags] IMAGE NAME[:TAG]'
  const [source = '', name = ''] = expectArguments(args, { least: 2, most: 2, usage })
  const canonical = canonicalName(name)
  await using store = openLocalStore(args, shell)
  const image = await findImage(store, source)
  await store.images.set(canonical, image.target, { createdAt: image.createdAt })
  return 0
}

/** `tsbuild rmi` */
export async function runRemove(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild rmi [flags] IMAGE…'
  const wanted = expectArguments(args, { least: 1, most: 1000, usage })
  const names = await namesOfAll(wanted, args, shell)
  await using store = openLocalStore(args, shell)
  const freed = args.has('prune') ? await freeing(store, names) : undefined
  for (const name of names) {
    if (await store.images.remove(name)) await print(shell, `removed ${name}\n`)
  }
  if (freed !== undefined) await print(shell, `freed ${formatBytes(await freed())}\n`)
  return 0
}

/**
 * All of them are looked up first: a misspelt one must not leave half of the work done. In a store of its own, since
 * what was looked up in one stays as long as that is open.
 */
async function namesOfAll(
  wanted: readonly string[],
  args: Arguments,
  shell: Shell,
): Promise<ReadonlySet<string>> {
  await using store = openLocalStore(args, shell)
  const names = new Set<string>()
  for (const text of wanted) for (const name of await namesOf(store, text)) names.add(name)
  return names
}

/** To be called before names are removed. @returns frees what only they had; the bytes */
async function freeing(store: Store, names: ReadonlySet<string>): Promise<() => Promise<number>> {
  const { Collector, sumOfBytes } = await import('./collector.ts')
  const collector = new Collector(store)
  const ids = collector.onlyIn(names)
  return async () => {
    const gone = await collector.remove({ all: false, matches: ({ id }) => ids.has(id) })
    return sumOfBytes(gone)
  }
}

/** A name means itself; an id means every name of that image. */
async function namesOf(store: Store, text: string): Promise<readonly string[]> {
  const name = nameOrUndefined(text)
  if (name !== undefined && store.images.get(name) !== undefined) return [name]
  return (await findImage(store, text)).names
}
