import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Folders under `folder` that hold a Dockerfile. */
export function casesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(`${folder}/${name}/Dockerfile`))
    .toSorted()
}

/** Compares with a golden text, or writes it: `UPDATE=1`. */
export function assertGoldenText(file: string, text: string): void {
  if (process.env.UPDATE !== undefined) writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'))
}
