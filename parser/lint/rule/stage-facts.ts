import type { StageInstruction } from '../../ast/ast.ts'

/** What the instructions of a stage have set so far, apart from variables. */
export interface StageFacts {
  /** The operating system of the stage, in lower case. */
  readonly os: string
  readonly hasShell: boolean
  readonly hasWorkdir: boolean
  /** CMD, ENTRYPOINT and HEALTHCHECK of this stage, the last one of each. */
  readonly last: ReadonlyMap<StageInstruction['kind'], StageInstruction>
}

/** The facts of a stage on another one. */
export function childFacts(parent: StageFacts): StageFacts {
  return { ...parent, last: new Map() }
}

/** The facts behind an instruction. */
export function applyFacts(facts: StageFacts, instruction: StageInstruction): StageFacts {
  switch (instruction.kind) {
    case 'shell':
      return { ...facts, hasShell: true }
    case 'workdir':
      return { ...facts, hasWorkdir: true }
    case 'cmd':
    case 'entrypoint':
    case 'healthcheck':
      return { ...facts, last: new Map(facts.last).set(instruction.kind, instruction) }
    default:
      return facts
  }
}
