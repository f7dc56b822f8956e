import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeMountsPrivate, mountOverlay } from '#builder/linux'
import { detachMount } from '../../../../builder/linux/mounts/mounts.ts'

/**
 * Prints what the kernel shows for each of the stacks (JSON, topmost first) that are its argument,
 * as `outline` does: for another mount namespace.
 */
const stacks = JSON.parse(process.argv[2] ?? '[]') as readonly string[][]
makeMountsPrivate()
const target = mkdtempSync('/tmp/tsbuild-stack-')
const shown = stacks.map((lower) => {
  mountOverlay({ lower }, target)
  try {
    return linesOf('')
  } finally {
    process.chdir('/')
    detachMount(target)
  }
})
rmdirSync(target)
process.stdout.write(JSON.stringify(shown))

function linesOf(path: string): string[] {
  return readdirSync(join(target, path))
    .sort()
    .flatMap((name) => {
      const child = join(path, name)
      const host = join(target, child)
      const stat = lstatSync(host, { throwIfNoEntry: false })
      // The kernel lists the whiteouts of a directory that it merges with no other, but finds nothing.
      if (stat === undefined) return []
      if (!stat.isDirectory()) return [`${child}=${readFileSync(host, 'latin1')}`]
      return [`${child}/`, ...linesOf(child)]
    })
}
