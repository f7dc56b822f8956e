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

/** The name of a rule in the file names of its page and fixture: `json-args-recommended`. */
export function kebabName(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
}
