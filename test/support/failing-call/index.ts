import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, run } from '../peers/index.ts'

const SOURCE = fileURLToPath(new URL('../../../../fixtures/failing-call/main.c', import.meta.url))

/** Which of the calls that write to a file system fail, and how. */
export interface FailingCall {
  /** A part of the paths that are meant; default: all of them. */
  readonly about?: string
  /** Counted from 1 over all processes and threads; 0: none fails. */
  readonly nth: number
  readonly error: 'ENOSPC' | 'EDQUOT' | 'EIO'
  /** `on`: all later ones fail as well. */
  readonly life: 'once' | 'on'
}

/** Where calls fail, and where it is written which were counted. */
export interface FailingPlace {
  /** On the file system that is meant. */
  readonly folder: string
  /** A file of another file system. */
  readonly log: string
}

/**
 * The words in front of a command that let one of its calls fail. The program is compiled once for each version of its
 * source, which describes it.
 */
export async function failingCall(
  { about = '', nth, error, life }: FailingCall,
  { folder, log }: FailingPlace,
): Promise<readonly string[]> {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex')
  const made = await cachedFolder(['failing-call', 1, digest], async (directory) => {
    await run('mkdir', [directory])
    const flags = ['-static', '-O2', '-Wall', '-Wextra', '-Werror']
    await run('gcc', [...flags, '-o', join(directory, 'failing-call'), SOURCE])
  })
  return [join(made, 'failing-call'), folder, about, `${nth}`, error, life, log]
}
