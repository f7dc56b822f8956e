/** Builds images in a process with limited rights: see `LIMITED`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { BuildOptions } from '#builder'
import { answer, becomeUser } from '../../../support/rights/index.ts'

/** What is published: its threads start in a third of the time. */
const BUNDLE = new URL('../../../../bundle/builder.js', import.meta.url).href
const { build } = (await import(BUNDLE)) as typeof import('#builder')

/** What to build, in JSON. */
export interface BuildQuestion {
  readonly options: Omit<BuildOptions, 'onEvent' | 'signal' | 'credentials'>
  /** Files that it writes. */
  readonly written?: readonly string[]
}

/** What came of it. */
export interface BuildAnswer {
  readonly digest: string | undefined
  readonly diffIds: readonly string[]
  /** Digests of the written files. */
  readonly written: readonly string[]
  readonly warnings: readonly string[]
}

/** Builds an image. */
export async function buildLimited({ options, written = [] }: BuildQuestion): Promise<BuildAnswer> {
  const warnings: string[] = []
  const { digest, layers } = await build({
    ...options,
    onEvent: (event) => {
      if (event.type === 'warning') warnings.push(event.message)
    },
  })
  return {
    digest,
    diffIds: layers.map(({ diffId }) => diffId),
    written: written.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex')),
    warnings,
  }
}

if (process.argv[1] === import.meta.filename) {
  becomeUser(process.argv[2])
  await answer(buildLimited)
}
