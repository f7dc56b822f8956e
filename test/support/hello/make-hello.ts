import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * Turns a listing into bytes: two hexadecimal digits a byte, `#` begins a comment.
 * @throws {SyntaxError} for anything else, with the line
 */
function parseHex(listing: string): Buffer {
  const bytes: number[] = []
  for (const [index, line] of listing.split('\n').entries()) {
    for (const word of line.replace(/#.*/, '').trim().split(/\s+/)) {
      if (word === '') continue
      if (!/^[0-9a-f]{2}$/.test(word)) throw new SyntaxError(`line ${index + 1}: no byte: ${word}`)
      bytes.push(Number.parseInt(word, 16))
    }
  }
  return Buffer.from(bytes)
}

/**
 * Writes the executable `hello` from `hello.<cpu>.hex`, both in `directory`. A file that is right
 * already is left alone, so that a build which copies it stays cached.
 * @returns false when there is no listing for `cpu` (a name of `process.arch`)
 */
export function makeHello(directory: URL, cpu: string): boolean {
  const listing = new URL(`hello.${cpu}.hex`, directory)
  if (!existsSync(listing)) return false
  const program = new URL('hello', directory)
  const bytes = parseHex(readFileSync(listing, 'utf8'))
  if (existsSync(program) && readFileSync(program).equals(bytes)) return true
  const temporary = new URL('hello.new', directory)
  writeFileSync(temporary, bytes)
  chmodSync(temporary, 0o755)
  renameSync(temporary, program)
  return true
}
