import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readContained } from '#builder/context'
import { TsbuildError, usageError } from '#core'
import { parseDockerignore } from '#parser'

/** The ignore file of a folder. */
export const IGNORE_FILE = '.dockerignore'

const DOING = 'failed to read dockerfile'

/** A Dockerfile of a client, and the ignore file of its own. */
export interface DefinitionFiles {
  /** On this machine. */
  readonly path: string
  /** What the ignore file leaves out; absent where there is none. */
  readonly excludes: readonly string[] | undefined
}

/** What is asked of a client for a Dockerfile: in either spelling, with the ignore file of its own. */
export function definitionPaths(filename: string): readonly string[] {
  const lower = inSmallLetters(filename)
  const names = [filename, `${filename}${IGNORE_FILE}`]
  return lower === filename ? names : [...names, lower]
}

/**
 * Copies what a build reads of a folder of a client. What the client has sent are the client's files, and links of it
 * lead nowhere else: a build that is told a path follows them.
 * @param folder of the client, on this machine
 * @param place a folder that is made for the copies
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID
 */
export function copyDefinition(folder: string, filename: string, place: string): DefinitionFiles {
  if (filename.split('/').includes('..')) {
    throw usageError(`the Dockerfile ${JSON.stringify(filename.slice(0, 200))} is elsewhere`)
  }
  const read = (name: string): Buffer | undefined =>
    readContained(folder, name, { doing: DOING, shown: name })
  const text = read(filename) ?? read(inSmallLetters(filename))
  if (text === undefined) {
    throw new TsbuildError(`${DOING}: open ${filename}: no such file or directory`, {
      code: 'CONTEXT_INVALID',
      hint: 'name the Dockerfile with -f',
    })
  }
  mkdirSync(place)
  const path = join(place, basename(filename))
  writeFileSync(path, text)
  const ignore = read(`${filename}${IGNORE_FILE}`)
  if (ignore !== undefined) writeFileSync(`${path}${IGNORE_FILE}`, ignore)
  return { path, excludes: ignore && patternsOf(ignore.toString(), `${filename}${IGNORE_FILE}`) }
}

/** What the ignore file of a folder leaves out. @throws {TsbuildError} CONTEXT_INVALID */
export function folderIgnores(folder: string): readonly string[] {
  const options = { doing: 'read the ignore file', shown: IGNORE_FILE }
  const text = readContained(folder, IGNORE_FILE, options)
  return text === undefined ? [] : patternsOf(text.toString(), IGNORE_FILE)
}

/** The patterns as clients take them. */
function patternsOf(text: string, name: string): readonly string[] {
  return parseDockerignore(text, name).rules.map(({ pattern, isException }) => {
    const path = isException ? pattern.slice(1).trim() : pattern
    return `${isException ? '!' : ''}${path.replace(/^\/+(?=.)/, '')}`
  })
}

function inSmallLetters(filename: string): string {
  return filename.replace(/(^|\/)Dockerfile$/, '$1dockerfile')
}
