import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../test/support/random/index.ts'

const FILES = 20_000
const FILES_PER_DIRECTORY = 100
const MEBIBYTE = 1 << 20

/**
 * 20,000 files in 200 directories below `tree`, 270 MB in all. The same bytes every time: text that
 * compresses about as well as source code, in sizes from 0 to 128 KB, most of them small.
 */
export function writeTree(directory: string): void {
  const random = seededRandom(7)
  const source = textOf(random)
  for (let index = 0; index < FILES; index += 1) {
    const folder = join(directory, 'tree', `d${Math.floor(index / FILES_PER_DIRECTORY)}`)
    if (index % FILES_PER_DIRECTORY === 0) mkdirSync(folder, { recursive: true })
    const size = Math.floor(random() ** 8 * 123_000)
    const from = Math.floor(random() * (source.length - size))
    writeFileSync(join(folder, `f${index}.txt`), source.subarray(from, from + size))
  }
}

/** Changes one file of `writeTree`: another text each time. */
export function changeOneFile(directory: string, turn: number): void {
  writeFileSync(join(directory, 'tree/d100/f10050.txt'), `changed ${turn}\n`)
}

/** `count` small files below `tree`, 500 in a directory. */
export function writeSmallFiles(directory: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const folder = join(directory, 'tree', `d${Math.floor(index / 500)}`)
    if (index % 500 === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `f${index}.txt`), `${index}\n`)
  }
}

/** One file of so many MiB, no two of which are the same. */
export function writeBigFile(path: string, mebibytes: number): void {
  const random = seededRandom(11)
  const block = textOf(random)
  const file = openSync(path, 'w')
  for (let index = 0; index < mebibytes; index += 1) {
    block.writeUInt32LE(index)
    writeSync(file, block)
  }
  closeSync(file)
}

function textOf(random: () => number): Buffer {
  const text = Buffer.alloc(MEBIBYTE)
  for (let at = 0; at < text.length; at += 1) text[at] = 97 + Math.floor(random() ** 2 * 26)
  return text
}
