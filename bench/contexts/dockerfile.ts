import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a context: a Dockerfile, and files by their paths. */
export function writeContext(
  directory: string,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
): string {
  const all = { Dockerfile: `${lines.join('\n')}\n`, ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

/** `steps` small RUN steps, each of which writes a file. */
export function runContext(directory: string, base: string, steps: number): string {
  const runs = Array.from({ length: steps }, (_, index) => `RUN echo ${index} > /file-${index}`)
  return writeContext(directory, [`FROM ${base}`, ...runs])
}
