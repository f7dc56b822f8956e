import type { Plan, Vertex } from '#builder/plan'
import { unreachable } from '#core'
import type { CopyDeps } from './copied-layer.ts'
import { type ExecDeps, ExecOperation } from './exec.ts'
import { FilesOperation } from './files.ts'
import { type ImageDeps, ImageOperation } from './image.ts'
import type { Operation } from './operation.ts'
import { type RemoteDeps, RemoteOperation } from './remote.ts'

/** What operations of all kinds need. */
export interface OperationDeps extends ExecDeps, CopyDeps, ImageDeps, RemoteDeps {}

/** The operation of a vertex of `plan`. */
export function operationOf(vertex: Vertex, plan: Plan, deps: OperationDeps): Operation {
  switch (vertex.op) {
    case 'image':
      return new ImageOperation(vertex, deps)
    case 'http':
    case 'git':
      return new RemoteOperation(vertex, deps)
    case 'files':
      return new FilesOperation(vertex, deps)
    case 'exec':
      return new ExecOperation(vertex, plan, deps)
    default:
      return unreachable(vertex)
  }
}
