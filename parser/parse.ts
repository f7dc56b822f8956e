import type { Dockerfile, StageInstruction } from './ast.ts'
import type { Diagnostic } from './diagnostics.ts'

export interface ParseResult {
  /** What could be understood; complete when no diagnostic is an error. */
  readonly dockerfile: Dockerfile
  /** In file order. */
  readonly diagnostics: readonly Diagnostic[]
}

export interface TriggerResult {
  /** `undefined` when there is an error. */
  readonly instruction: StageInstruction | undefined
  readonly diagnostics: readonly Diagnostic[]
}

/** Parses a Dockerfile. Never throws, whatever the bytes; mistakes come back as diagnostics. */
export function parseDockerfile(_source: string | Uint8Array): ParseResult {
  throw new Error('parseDockerfile is not ready')
}

/** Parses the text of an ONBUILD trigger, as image configs store it. Never throws. */
export function parseTrigger(_text: string): TriggerResult {
  throw new Error('parseTrigger is not ready')
}
