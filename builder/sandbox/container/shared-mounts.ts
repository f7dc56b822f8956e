import { closeSync } from 'node:fs'
import type { Namespaces } from '#builder/linux'
import type { SharedParts } from '../root/assemble.ts'
import type { StepSpec } from '../spec/step-spec.ts'
import { openPassing } from './passing-mounts.ts'
import { openSharedMemory } from './shared-memory.ts'
import type { StepNamespaces } from './step-namespaces.ts'

/** What a container has in common with the host or with another one. Disposing closes the descriptors. */
export interface SharedMounts extends SharedParts, Disposable {}

/**
 * Opens them. The thread must be on the host.
 * @throws {TsbuildError} as `openPassing` and `openSharedMemory` do
 */
export function openSharedMounts(
  spec: Pick<StepSpec, 'container' | 'mounts'>,
  namespaces: StepNamespaces,
  home: Namespaces,
): SharedMounts {
  const passing = spec.container === undefined ? NO_MOUNTS : openPassing(spec.mounts)
  const opened = [...passing.values()]
  const close = (): void => {
    for (const descriptor of opened) closeSync(descriptor)
  }
  try {
    const shared = openSharedMemory(namespaces, home)
    if (shared !== undefined) opened.push(shared)
    const memory = namespaces.hasNoMemory === true ? 'none' : shared
    return { memory, passing, [Symbol.dispose]: close }
  } catch (cause) {
    close()
    throw cause
  }
}

const NO_MOUNTS: ReadonlyMap<number, number> = new Map()
