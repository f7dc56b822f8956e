import type { Plan, Vertex } from '#builder/plan'
import type { Json, JsonObject, Platform, WrittenManifest } from '#core'
import type { SourceFile } from '#parser'
import type { Redact } from './redact.ts'
import { localOp, type StepInput, stepOp } from './step-ops.ts'

/** The steps of a build as a graph, by the names that provenance gives them. */
export interface StepGraph {
  /** In an order in which every step follows its inputs. */
  readonly definition: readonly Json[]
  /** The names of vertices. */
  readonly names: ReadonlyMap<string, string>
}

/** Describes the vertices of a plan: folders of the client first, and last what the image is. */
export function stepGraph({ vertices, image }: Plan): StepGraph {
  const described = [...vertices.values()].map((vertex) => ({ vertex, ...stepOp(vertex) }))
  const locals = new Set(
    described.flatMap(({ inputs }) =>
      inputs.flatMap((one) => (one.kind === 'local' ? one.name : [])),
    ),
  )
  const localNames = new Map(Array.from(locals, (name, index) => [name, `step${index}`]))
  const names = new Map(
    described.map(({ vertex }, index) => [vertex.id, `step${locals.size + index}`]),
  )
  const named = (input: StepInput): string =>
    `${input.kind === 'local' ? localNames.get(input.name) : names.get(input.vertex)}:0`
  const top = image.top === undefined ? [] : [`${names.get(image.top)}:0`]
  return {
    names,
    definition: [
      ...Array.from(localNames, ([name, id]) => ({
        id,
        op: { Op: localOp(name), constraints: {} },
      })),
      ...described.map(({ vertex, op, inputs, platform }) => ({
        id: names.get(vertex.id) ?? '',
        op: { Op: op, ...platformOf(platform), constraints: {} },
        ...(inputs.length === 0 ? {} : { inputs: inputs.map(named) }),
      })),
      { id: `step${locals.size + described.length}`, op: { Op: {} }, inputs: top },
    ],
  }
}

/** Where steps stand in the Dockerfile, and the Dockerfile. */
export function stepSources(
  vertices: Iterable<Vertex>,
  { names }: StepGraph,
  { source, redact }: { readonly source: SourceFile; readonly redact: Redact },
): JsonObject {
  const locations = Array.from(vertices, ({ id, range }) => {
    const { start, end } = range
    const ranges = [{ start: { line: start.line }, end: { line: end.line } }]
    return [names.get(id) ?? '', { locations: [{ ranges }] }] as const
  })
  const filename = source.filename.slice(source.filename.lastIndexOf('/') + 1)
  const data = Buffer.from(redact(source.text)).toString('base64')
  return {
    locations: Object.fromEntries(locations),
    infos: [{ filename, language: 'Dockerfile', data }],
  }
}

/** The layers of the image up to that of each step which made one. */
export function stepLayers(
  layerSteps: readonly (string | undefined)[],
  { names }: StepGraph,
  { layers }: WrittenManifest,
): JsonObject {
  const listed = layerSteps.flatMap((vertex, index) => {
    const name = vertex === undefined ? undefined : names.get(vertex)
    if (name === undefined) return []
    const below = layers.slice(0, index + 1).map(({ mediaType, digest, size }) => {
      return { mediaType, digest, size }
    })
    return [[`${name}:0`, [below]] as const]
  })
  return Object.fromEntries(listed)
}

function platformOf(platform: Platform | undefined): JsonObject {
  if (platform === undefined) return {}
  const { os, architecture, variant } = platform
  const Variant = variant === undefined ? {} : { Variant: variant }
  return { platform: { Architecture: architecture, OS: os, ...Variant } }
}
