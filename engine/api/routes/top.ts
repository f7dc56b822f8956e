import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type JsonObject, TsbuildError } from '#core'
import type { Container } from '#engine/containers'

const run = promisify(execFile)

/** Bytes of a list of all processes of a machine. */
const MOST = 16 * 1024 * 1024

/**
 * The processes of a container, as the ps of this machine lists them.
 * @param args of ps. @throws {TsbuildError} CONFLICT when it does not run, USAGE
 */
export async function topOf(container: Container, args: string): Promise<JsonObject> {
  const wanted = new Set(container.process().processes().map(String))
  const words = args.split(/\s+/).filter((word) => word !== '')
  const output = await list(words)
  const [head = '', ...lines] = output.split('\n').filter((line) => line.trim() !== '')
  const titles = head.trim().split(/\s+/)
  const column = titles.indexOf('PID')
  if (column < 0) {
    throw new TsbuildError("Couldn't find PID field in ps output", { code: 'USAGE' })
  }
  const rows = lines.map((line) => cells(line, titles.length))
  return { Titles: titles, Processes: rows.filter((row) => wanted.has(row[column] ?? '')) }
}

/** No shell reads the words. */
async function list(words: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('ps', words, {
      maxBuffer: MOST,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    })
    return stdout
  } catch (cause) {
    const detail = (cause as { readonly stderr?: string }).stderr?.split('\n', 1)[0]
    throw new TsbuildError(`ps: ${detail || String(cause)}`, { code: 'USAGE', cause })
  }
}

/** The last column has all that is left. */
function cells(line: string, count: number): readonly string[] {
  const words = line.trim().split(/\s+/)
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')]
}
