import { TsbuildError } from '#core'
import type { RunningProcess } from './sandbox.ts'

/** What the handle of a process has for containers. */
export type ContainerMethods = Pick<
  RunningProcess,
  'pause' | 'resume' | 'usage' | 'update' | 'processes' | 'openRoot' | 'openNamespace'
>

/** Where there are no containers. @param reason `steps in place are not containers` */
export function noContainer(reason: string): ContainerMethods {
  const refuse = (): never => {
    throw new TsbuildError(reason, {
      code: 'UNSUPPORTED',
      hint: 'run tsbuild where it can make namespaces',
    })
  }
  return {
    pause: async () => refuse(),
    resume: async () => refuse(),
    usage: () => ({}),
    update: refuse,
    processes: refuse,
    openRoot: refuse,
    openNamespace: refuse,
  }
}
