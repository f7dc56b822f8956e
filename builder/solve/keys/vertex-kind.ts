import type { StepVertex, Vertex, VertexId } from '#builder/plan'

/** Whether an instruction of the Dockerfile makes a layer by it. */
export function isStep(vertex: Vertex): vertex is StepVertex {
  return vertex.op === 'files' || vertex.op === 'exec'
}

/** The vertices that a step takes files from; the empty stage is not one. */
export function sourcesOf({ sources }: StepVertex): readonly VertexId[] {
  return (sources as readonly StepVertex['sources'][number][]).flatMap((source) =>
    source.kind === 'context' || source.vertex === undefined ? [] : [source.vertex],
  )
}
