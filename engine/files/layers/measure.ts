import { lstatSync, readdirSync } from 'node:fs'
import { RootedDirectory } from '#builder/linux'
import { checkpoint, joinName, type Name } from '#core'

/** Bytes in the files of a directory; one with several names counts once. Directories are none, as for docker. */
export function measureDirectory(directory: string): number {
  const root = new RootedDirectory(directory)
  try {
    let bytes = 0
    const seen = new Set<number>()
    const left = ['' as Name]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      for (const name of namesIn(root, path)) {
        checkpoint()
        const below = joinName(path, name)
        const place = root.at(below)
        const stats = place && lstatSync(place, { throwIfNoEntry: false })
        if (!stats) continue
        if (stats.isDirectory()) left.push(below)
        else if (!seen.has(stats.ino)) {
          if (stats.nlink > 1) seen.add(stats.ino)
          bytes += stats.size
        }
      }
    }
    return bytes
  } finally {
    root.close()
  }
}

/** None where it is gone by now. */
function namesIn(root: RootedDirectory, path: Name): readonly Name[] {
  const descriptor = root.directory(path)
  if (descriptor === undefined) return []
  return readdirSync(`/proc/self/fd/${descriptor}`, 'latin1') as Name[]
}
