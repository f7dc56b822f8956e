import type { Isolation, TsbuildError } from '#core'
import type { InPlaceOptions } from './in-place/in-place-sandbox.ts'
import type { Sandbox } from './spec/sandbox.ts'
import { type InProcessOptions, inProcessSandbox } from './threads/in-process.ts'

/** What sandboxes are opened with; each kind asks for its own part. */
export interface SandboxOptions {
  readonly namespaces: () => InProcessOptions
  readonly inPlace: () => InPlaceOptions
  /** Called once for each thing in which steps are limited or isolated less than they should be. */
  readonly onNotice: (notice: TsbuildError) => void
}

/** Opens the sandbox for an isolation; most builds need no code of others than the first. */
export async function openSandbox(
  isolation: Isolation,
  { namespaces, inPlace, onNotice }: SandboxOptions,
): Promise<Sandbox> {
  if (isolation === 'namespaces') return inProcessSandbox({ ...namespaces(), onNotice })
  const { inPlaceSandbox } = await import('./in-place/in-place-sandbox.ts')
  return inPlaceSandbox({ ...inPlace(), onNotice })
}
