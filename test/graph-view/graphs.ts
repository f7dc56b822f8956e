import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  expandWord,
  type InstructionGraph,
  type LinkedStage,
  linkStages,
  parseDockerfile,
  type SourceRef,
} from '#parser'

/** `fixtures/graph`, seen from the compiled test. */
export const GRAPHS: string = fileURLToPath(new URL('../../../fixtures/graph', import.meta.url))

/** Links a Dockerfile, with the defaults of its global arguments. */
export function link(text: string, target?: string): InstructionGraph {
  const { dockerfile } = parseDockerfile(text)
  const values = new Map<string, string>()
  const expand = (raw: string): string => expandWord(raw, { lookup: (name) => values.get(name) })
  for (const { key, value } of dockerfile.globalArgs.flatMap(({ args }) => args)) {
    if (value !== undefined) values.set(key, expand(value.raw))
  }
  return linkStages(dockerfile, { target, expand: ({ raw }) => expand(raw) })
}

/** The graph of a fixture. */
export function fixture(name: string, target?: string): InstructionGraph {
  return link(readFileSync(`${GRAPHS}/${name}/Dockerfile`, 'utf8'), target)
}

/** The graph with other words in it, also such as no Dockerfile could have. */
export function renamed(
  graph: InstructionGraph,
  names: { readonly stage: string; readonly text: string; readonly image: string },
): InstructionGraph {
  const other = (ref: SourceRef): SourceRef =>
    ref.kind === 'image' ? { kind: 'image', name: names.image } : ref
  const change = (linked: LinkedStage): LinkedStage => {
    const { stage, base, sources } = linked
    const instructions = stage.instructions.map((one) => ({ ...one, text: names.text }))
    return {
      ...linked,
      base: other(base),
      sources: new Map([...sources].map(([written, ref]) => [written, other(ref)])),
      stage: { ...stage, name: names.stage, instructions },
    }
  }
  const target = change(graph.target)
  return {
    dockerfile: graph.dockerfile,
    stages: graph.stages.map((linked) => (linked === graph.target ? target : change(linked))),
    unused: graph.unused.map(change),
    target,
  }
}
