import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, run } from '../peers/index.ts'

/** `fixtures/probe`: the sources of the probe, and the list of what may differ. */
export const PROBE_FOLDER: string = fileURLToPath(
  new URL('../../../../fixtures/probe/', import.meta.url),
)

/** Compiles the probe, once for each version of its sources, and gives the path of the program. */
export async function probeProgram(): Promise<string> {
  const sources = readdirSync(PROBE_FOLDER).filter((name) => /\.[ch]$/.test(name))
  const texts = sources.sort().map((name) => readFileSync(join(PROBE_FOLDER, name)))
  const digest = createHash('sha256').update(Buffer.concat(texts)).digest('hex')
  const folder = await cachedFolder(['probe', 1, digest], async (made) => {
    await run('mkdir', [made])
    const files = sources.filter((name) => name.endsWith('.c'))
    const flags = ['-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', join(made, 'probe')]
    await run('gcc', [...flags, ...files], { cwd: PROBE_FOLDER })
  })
  return join(folder, 'probe')
}
