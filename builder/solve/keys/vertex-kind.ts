import type { RemoteVertex, StepVertex, Vertex } from '#builder/plan'

/** Whether an instruction of the Dockerfile makes a layer by it. */
export function isStep(vertex: Vertex): vertex is StepVertex {
  return vertex.op === 'files' || vertex.op === 'exec'
}

/** Whether it stands for files that are fetched. */
export function isRemote(vertex: Vertex): vertex is RemoteVertex {
  return vertex.op === 'http' || vertex.op === 'git'
}
