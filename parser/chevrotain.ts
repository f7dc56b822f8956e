/**
 * The one door to Chevrotain. Its entry point is some seventy small modules that take longer to load
 * (about 40 ms) than to parse a Dockerfile; the package also holds all of them as one file, which
 * loads in 5 ms. A package without that file still works, a little slower.
 */
import { createRequire } from 'node:module'

type Chevrotain = typeof import('chevrotain')

const requireFrom = createRequire(import.meta.url)

function load(): Chevrotain {
  try {
    const entry = requireFrom.resolve('chevrotain')
    const root = entry.slice(0, entry.lastIndexOf('/lib/'))
    return requireFrom(`${root}/lib/chevrotain.min.mjs`)
  } catch {
    return requireFrom('chevrotain')
  }
}

const chevrotain: Chevrotain = load()

export const CstParser: Chevrotain['CstParser'] = chevrotain.CstParser
export const Lexer: Chevrotain['Lexer'] = chevrotain.Lexer
export const createToken: Chevrotain['createToken'] = chevrotain.createToken
