import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from '../../../e2e/support/tsbuild.ts'
import type { Said } from '../support/said.ts'

/** What today's dockerd answers, a paragraph for each request. */
const GOLDEN = join(FIXTURES, 'engine/versions.txt')

export function readGolden(): readonly Said[] {
  return readFileSync(GOLDEN, 'utf8')
    .trim()
    .split('\n\n')
    .map((paragraph) => {
      const [title = '', ...lines] = paragraph.split('\n')
      return { title, lines }
    })
}

export function writeGolden(said: readonly Said[]): void {
  const paragraphs = said.map(({ title, lines }) => [title, ...lines].join('\n'))
  writeFileSync(GOLDEN, `${paragraphs.join('\n\n')}\n`)
}
