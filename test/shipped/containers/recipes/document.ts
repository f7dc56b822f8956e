import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from '../../../e2e/support/installed.ts'
import { run } from '../../../support/peers/index.ts'

/** A piece of `docs/ci.md` that readers copy. */
interface Recipe {
  /** The heading above it. */
  readonly section: string
  readonly language: string
  readonly text: string
}

/** All pieces of the document, in order. */
function readRecipes(): readonly Recipe[] {
  const text = readFileSync(join(REPOSITORY, 'docs/ci.md'), 'utf8')
  return text.split(/^## /m).flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'))
    const blocks = part.matchAll(/^```(\w+)\n(.*?)^```$/gms)
    return [...blocks].map(([, language = '', body = '']) => ({ section, language, text: body }))
  })
}

/** The text of the pieces in this language below a heading, in order. @throws {Error} without any */
export function recipesIn(section: string, language = 'yaml'): readonly [string, ...string[]] {
  const [first, ...others] = readRecipes()
    .filter((recipe) => recipe.section === section && recipe.language === language)
    .map(({ text }) => text)
  if (first === undefined) throw new Error(`docs/ci.md has no ${language} below ${section}`)
  return [first, ...others]
}

/** Reads YAML with Python's parser, an independent one. @throws {Error} when it is none */
export async function parseYaml(text: string): Promise<unknown> {
  const program = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'
  const { stdout } = await run('python3', ['-c', program], { input: text })
  return JSON.parse(stdout)
}
