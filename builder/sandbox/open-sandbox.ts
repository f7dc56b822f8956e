import type { Isolation } from '#core'
import type { InPlaceOptions } from './in-place/in-place-sandbox.ts'
import type { Sandbox } from './spec/sandbox.ts'
import { inProcessSandbox } from './threads/in-process.ts'

/** What any sandbox is opened with. `kept` is for steps in place. */
export interface SandboxOptions extends Omit<InPlaceOptions, 'kept'> {
  readonly kept: () => readonly string[]
}

/** Opens the sandbox for an isolation; most builds need no code of others than the first. */
export async function openSandbox(
  isolation: Isolation,
  { kept, ...options }: SandboxOptions,
): Promise<Sandbox> {
  if (isolation === 'namespaces') return inProcessSandbox(options)
  const { inPlaceSandbox } = await import('./in-place/in-place-sandbox.ts')
  return inPlaceSandbox({ ...options, kept: kept() })
}
