import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const STEPS = 40
const FILES = 20_000
const FILES_PER_DIRECTORY = 100

/** Writes a context that has a Dockerfile and nothing else. */
export function dockerfileContext(directory: string, lines: readonly string[]): string {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'Dockerfile'), `${lines.join('\n')}\n`)
  return directory
}

/** `steps` small RUN steps, each of which writes a file. */
export function runContext(directory: string, base: string, steps: number = STEPS): string {
  const runs = Array.from({ length: steps }, (_, index) => `RUN echo ${index} > /file-${index}`)
  return dockerfileContext(directory, [`FROM ${base}`, ...runs])
}

/**
 * 20,000 files in 200 directories, 270 MB in all, then one RUN. The same bytes every time: text
 * that compresses about as well as source code, in sizes from 0 to 128 KB, most of them small.
 */
export function filesContext(directory: string, base: string): string {
  const copied = ['COPY tree /tree', 'RUN find /tree -type f | wc -l > /count']
  dockerfileContext(directory, [`FROM ${base}`, ...copied])
  const random = generator(7)
  const source = Buffer.alloc(1 << 20)
  for (let at = 0; at < source.length; at += 1) source[at] = 97 + Math.floor(random() ** 2 * 26)
  for (let index = 0; index < FILES; index += 1) {
    const folder = join(directory, 'tree', `d${Math.floor(index / FILES_PER_DIRECTORY)}`)
    if (index % FILES_PER_DIRECTORY === 0) mkdirSync(folder, { recursive: true })
    const size = Math.floor(random() ** 8 * 123_000)
    const from = Math.floor(random() * (source.length - size))
    writeFileSync(join(folder, `f${index}.txt`), source.subarray(from, from + size))
  }
  return directory
}

/** A tree of `count` small files, 500 in a directory, to be copied and nothing else. */
export function treeContext(directory: string, count: number): string {
  dockerfileContext(directory, ['FROM scratch', 'COPY tree /tree'])
  for (let index = 0; index < count; index += 1) {
    const folder = join(directory, 'tree', `d${Math.floor(index / 500)}`)
    if (index % 500 === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `f${index}.txt`), `${index}\n`)
  }
  return directory
}

/** Changes one file of `filesContext`: another text each time. */
export function changeOneFile(directory: string, round: number): void {
  writeFileSync(join(directory, 'tree/d100/f10050.txt'), `changed ${round}\n`)
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
