import { renameSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A process of a container that exchanges names as fast as it can: `d` is a folder, and for moments the link `l`; `f` is a
 * file, and for moments the pipe `p`. It ends with its input.
 */
const [, , folder = ''] = process.argv
let strangers = 0
const at = (name: string): string => join(folder, name)

/** Something was written in its place, and may be written to it still. */
function setAside(name: string): void {
  try {
    renameSync(at(name), at(`strange-${strangers++}`))
  } catch {
    // It is gone again.
  }
}

function move(from: string, to: string): void {
  for (;;) {
    try {
      renameSync(at(from), at(to))
      return
    } catch {
      setAside(to)
    }
  }
}

function exchange(name: string, other: string): void {
  move(name, `${name}-aside`)
  move(other, name)
  move(name, other)
  move(`${name}-aside`, name)
}

process.stdin.on('end', () => process.exit()).resume()
process.stdout.write('ready\n')
function swap(): void {
  for (let round = 0; round < 200; round++) {
    exchange('d', 'l')
    exchange('f', 'p')
  }
  setImmediate(swap)
}
swap()
