import { lstatSync, readdirSync } from 'node:fs'
import { RootedDirectory } from '#builder/linux'
import { checkpoint, joinName, type Name } from '#core'

const BLOCK = 512

/** Bytes that the files of a directory take on the disk; one with several names counts once. */
export function measureDirectory(directory: string): number {
  const root = new RootedDirectory(directory)
  try {
    let blocks = 0
    const seen = new Set<number>()
    const left = ['' as Name]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      for (const name of namesIn(root, path)) {
        checkpoint()
        const below = joinName(path, name)
        const place = root.at(below)
        const stats = place && lstatSync(place, { throwIfNoEntry: false })
        if (!stats || (stats.nlink > 1 && !stats.isDirectory() && seen.has(stats.ino))) continue
        if (stats.nlink > 1 && !stats.isDirectory()) seen.add(stats.ino)
        blocks += stats.blocks
        if (stats.isDirectory()) left.push(below)
      }
    }
    return blocks * BLOCK
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
