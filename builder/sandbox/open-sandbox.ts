import { type Isolation, TsbuildError } from '#core'
import type { InPlaceOptions } from './in-place/in-place-sandbox.ts'
import type { RuntimeProgram } from './runtime/runtime-program.ts'
import type { Sandbox } from './spec/sandbox.ts'
import { type InProcessOptions, inProcessSandbox } from './threads/in-process.ts'

/** What sandboxes are opened with; each kind asks for its own part. */
export interface SandboxOptions {
  readonly namespaces: () => InProcessOptions
  readonly runtime: WantedRuntime | undefined
  readonly inPlace: () => InPlaceOptions
  /** Called once for each thing in which steps are limited or isolated less than they should be. */
  readonly onNotice: (notice: TsbuildError) => void
}

/** An OCI runtime that is asked for. */
export interface WantedRuntime {
  /** `runc`, `crun`, or a path. */
  readonly name: string
  readonly environment: NodeJS.ProcessEnv
  /** Called when it is found. */
  readonly onFound: (runtime: RuntimeProgram) => void
}

/** Opens the sandbox for an isolation; most builds need no code of others than the first. */
export async function openSandbox(
  isolation: Isolation,
  { namespaces, runtime, inPlace, onNotice }: SandboxOptions,
): Promise<Sandbox> {
  if (isolation === 'namespaces') {
    if (runtime === undefined) return inProcessSandbox({ ...namespaces(), onNotice })
    const { findRuntime } = await import('./runtime/runtime-program.ts')
    const found = await findRuntime(runtime.name, runtime.environment)
    runtime.onFound(found)
    return inProcessSandbox({ ...namespaces(), runtime: found, onNotice })
  }
  if (runtime !== undefined) throw inPlaceRuntimeError(runtime)
  const { inPlaceSandbox } = await import('./in-place/in-place-sandbox.ts')
  return inPlaceSandbox({ ...inPlace(), onNotice })
}

function inPlaceRuntimeError({ name }: WantedRuntime): TsbuildError {
  return new TsbuildError(`steps in place cannot be started by ${name}, which needs namespaces`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'leave --runtime out, or build where steps can have namespaces',
  })
}
