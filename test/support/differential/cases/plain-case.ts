import type { DifferentialCase } from './tables.ts'

/** A case with nothing but a Dockerfile, which is accepted. */
export function plainCase(name: string, dockerfile: string): DifferentialCase {
  return {
    name,
    dockerfile,
    equivalent: undefined,
    files: [],
    options: [],
    refusal: undefined,
    isFree: false,
    reason: undefined,
    differing: [],
  }
}
