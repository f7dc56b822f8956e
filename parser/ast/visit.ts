import type {
  Comment,
  Directive,
  Dockerfile,
  Instruction,
  OnbuildInstruction,
  Stage,
  StageInstruction,
} from './ast.ts'

/** Where an instruction stands. */
export interface InstructionPosition {
  /** `undefined` for an ARG in front of the first stage. */
  readonly stage: Stage | undefined
  /** The instruction that this one is the trigger of. */
  readonly onbuild: OnbuildInstruction | undefined
}

type InstructionVisitor = {
  readonly [Kind in Instruction['kind']]?: (
    instruction: Extract<Instruction, { readonly kind: Kind }>,
    position: InstructionPosition,
  ) => void
}

/** What to call for which nodes of a Dockerfile: by the kind of an instruction, or for all of them. */
export interface DockerfileVisitor extends InstructionVisitor {
  readonly directive?: (directive: Directive) => void
  readonly comment?: (comment: Comment) => void
  readonly stage?: (stage: Stage) => void
  readonly instruction?: (instruction: Instruction, position: InstructionPosition) => void
}

/**
 * Calls a visitor for every node, in file order: a stage before its FROM, comments before the
 * instruction that they precede or are part of, a trigger after its ONBUILD, `instruction` before the
 * function for its kind.
 */
export function visitDockerfile(dockerfile: Dockerfile, visitor: DockerfileVisitor): void {
  for (const directive of dockerfile.directives) visitor.directive?.(directive)
  for (const arg of dockerfile.globalArgs) {
    visitInstruction(arg, { stage: undefined, onbuild: undefined }, visitor)
  }
  for (const stage of dockerfile.stages) {
    visitor.stage?.(stage)
    for (const instruction of [stage.from, ...stage.instructions]) {
      visitInstruction(instruction, { stage, onbuild: undefined }, visitor)
    }
  }
  for (const comment of dockerfile.comments) visitor.comment?.(comment)
}

function visitInstruction(
  instruction: Instruction,
  position: InstructionPosition,
  visitor: DockerfileVisitor,
): void {
  const { comments, breaks } = instruction
  for (const comment of comments) visitor.comment?.(comment)
  for (const comment of breaks.flatMap((found) => found.comments)) visitor.comment?.(comment)
  visitor.instruction?.(instruction, position)
  visitKind(instruction, position, visitor)
  if (instruction.kind !== 'onbuild' || instruction.instruction === undefined) return
  visitInstruction(instruction.instruction, { ...position, onbuild: instruction }, visitor)
}

function visitKind<Kind extends Instruction['kind']>(
  instruction: Extract<Instruction, { readonly kind: Kind }>,
  position: InstructionPosition,
  visitor: InstructionVisitor,
): void {
  visitor[instruction.kind]?.(instruction, position)
}

/** The instructions of a Dockerfile in file order, those in front of the first stage included. */
export function* instructionsOf(dockerfile: Dockerfile): Generator<Instruction> {
  yield* dockerfile.globalArgs
  for (const { from, instructions } of dockerfile.stages) {
    yield from
    yield* instructions
  }
}

/** Gives another instruction of the same kind. */
export type InstructionChange = <T extends Instruction>(instruction: T) => T

/** A Dockerfile in which every instruction is changed, the trigger of an ONBUILD before ONBUILD itself. */
export function mapInstructions(dockerfile: Dockerfile, change: InstructionChange): Dockerfile {
  const changed = (instruction: StageInstruction): StageInstruction => {
    if (instruction.kind !== 'onbuild') return change(instruction)
    const trigger = instruction.instruction && changed(instruction.instruction)
    return change({ ...instruction, instruction: trigger })
  }
  return {
    ...dockerfile,
    globalArgs: dockerfile.globalArgs.map((arg) => change(arg)),
    stages: dockerfile.stages.map((stage) => {
      const { from, instructions } = stage
      return { ...stage, from: change(from), instructions: instructions.map(changed) }
    }),
  }
}
