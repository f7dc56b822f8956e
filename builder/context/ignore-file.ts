import { basename, dirname, join } from 'node:path'
import { type IgnoreRules, parseDockerignore } from '#parser'
import { readContained } from './contained-file.ts'

/** The ignore file that goes with a Dockerfile and a context. */
export interface IgnoreFile {
  /** For messages: `.dockerignore`, or the path of a Dockerfile's own. */
  readonly name: string
  /** Not empty means that it says something, perhaps in comments only. */
  readonly text: string
  readonly rules: IgnoreRules
}

const CONTEXT_FILE = '.dockerignore'

/**
 * `<Dockerfile>.dockerignore` beside the Dockerfile wins completely over the context's
 * `.dockerignore`. `dockerfile` is the Dockerfile's path; `undefined` for one that is not a file.
 * @throws {TsbuildError} CONTEXT_INVALID for a malformed pattern, or a file that cannot be read
 */
export function readIgnoreFile(
  context: string,
  dockerfile: string | undefined,
): IgnoreFile | undefined {
  const own = dockerfile === undefined ? undefined : readOwn(dockerfile)
  return own ?? read(context, CONTEXT_FILE, CONTEXT_FILE)
}

/** A `dockerfile` in small letters may have the ignore file of a `Dockerfile`. */
function readOwn(dockerfile: string): IgnoreFile | undefined {
  const folder = dirname(dockerfile)
  const name = basename(dockerfile)
  const names = name === 'dockerfile' ? ['Dockerfile', name] : [name]
  for (const one of names) {
    const file = `${one}.dockerignore`
    const found = read(folder, file, join(folder, file))
    if (found !== undefined) return found
  }
  return undefined
}

function read(folder: string, file: string, shown: string): IgnoreFile | undefined {
  const bytes = readContained(folder, file, { doing: 'read the ignore file', shown })
  if (bytes === undefined) return undefined
  const text = bytes.toString()
  return { name: shown, text, rules: parseDockerignore(text, shown) }
}
