import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Buildkitd, capture } from '../../../support/peers/index.ts'
import type { StatusCase } from './cases.ts'
import type { ShownVertex } from './vertex-facts.ts'

interface SolveStatus {
  readonly vertexes?: readonly {
    readonly digest: string
    readonly inputs?: readonly string[]
    readonly name: string
    readonly started?: string
    readonly completed?: string
    readonly cached?: boolean
    readonly error?: string
  }[]
}

/** What buildkitd says of the vertices of a build. @param programs the folder of buildctl */
export async function buildctlVertices(
  one: StatusCase,
  {
    buildkitd,
    programs,
    folder,
  }: {
    readonly buildkitd: Buildkitd
    readonly programs: string
    readonly folder: string
  },
): Promise<readonly ShownVertex[]> {
  const context = join(folder, one.name)
  mkdirSync(context, { recursive: true })
  const files = { ...one.files, Dockerfile: one.dockerfile.join('\n') }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(context, name), content)
  const locals = ['context', 'dockerfile'].flatMap((name) => ['--local', `${name}=${context}`])
  const { stderr } = await capture(join(programs, 'buildctl'), [
    ...['--addr', `unix://${buildkitd.socket}`, 'build', '--progress', 'rawjson'],
    ...['--frontend', 'dockerfile.v0', ...locals, ...one.args],
  ])
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'))
  const shown = lines.flatMap((line) => (JSON.parse(line) as SolveStatus).vertexes ?? [])
  return [...new Map(shown.map((vertex) => [vertex.digest, vertex])).values()].map((vertex) => ({
    digest: vertex.digest,
    inputs: vertex.inputs ?? [],
    name: vertex.name,
    started: vertex.started === undefined ? undefined : nanosecondsOf(vertex.started),
    isCompleted: vertex.completed !== undefined,
    isCached: vertex.cached === true,
    error: vertex.error ?? '',
  }))
}

function nanosecondsOf(time: string): bigint {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ''
  const seconds = Math.floor(Date.parse(time) / 1000)
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
}
