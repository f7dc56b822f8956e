import type { Platform } from '#core'
import type {
  Dockerfile,
  FromInstruction,
  Instruction,
  InstructionBase,
  Stage,
} from '../../ast/ast.ts'
import type { Expanded } from '../../scope/expanded.ts'
import type { StageArg } from '../../scope/walk-stages.ts'
import type { SourceRange } from '../../text/source.ts'
import type { CheckedGlobals } from './checked-globals.ts'
import type { CheckedStep, WordUses } from './checked-step.ts'

/** What is known of a build check apart from how it finds something. */
export interface CheckRule {
  /** As `# check=skip=` and reports spell it. */
  readonly name: string
  /** One sentence; `docs/lint` has a page on each. */
  readonly description: string
  /** The page of BuildKit's documentation; `undefined` for a check that has no page there. */
  readonly url: string | undefined
  /** Off unless `experimental=` names it; `skip=` does not touch it. */
  readonly isExperimental: boolean
}

/** What a rule has found. */
export interface Finding {
  /** A function where the text takes a search: of a hostile file, most findings are not reported. */
  readonly message: string | (() => string)
  readonly range: SourceRange
  /** The instruction above which a `# check=` comment can switch the rule off. */
  readonly by?: Pick<InstructionBase, 'comments'> | undefined
}

/** Findings of one call, in order. */
export type Findings = readonly Finding[]

/**
 * A build check: one file that `rules.ts` lists. Each function looks at one kind of subject and is
 * called for all of them, in file order. A rule without functions reports warnings of the parser that
 * have its name as their code. Texts are word for word those of BuildKit: tools look for them.
 */
export interface Rule extends CheckRule {
  /** Rules that look at the same subject run in ascending order. */
  readonly order: number
  /** An instruction of any kind, those before the first FROM included; also in a file with mistakes. */
  readonly instruction?: (instruction: Instruction) => Findings
  /** A stage; `names` are those of the stages before it. */
  readonly stage?: (stage: Stage, names: ReadonlySet<string>) => Findings
  /** The whole file. */
  readonly file?: (dockerfile: Dockerfile, globals: CheckedGlobals) => Findings
  /** A FROM with its words expanded from the global arguments. */
  readonly from?: (from: ExpandedFrom, globals: CheckedGlobals) => Findings
  /** A FROM and the image that it stands for. */
  readonly base?: (from: FromInstruction, platforms: BasePlatforms) => Findings
  /** A variable of an ARG in a stage. */
  readonly arg?: (arg: StageArg) => Findings
  /** The expanded words of an instruction in a stage, before `step` is called for it. */
  readonly words?: (uses: WordUses) => Findings
  /** An instruction in a stage, other than ARG. */
  readonly step?: (step: CheckedStep) => Findings
  /** A port of an EXPOSE in a stage, after expansion. */
  readonly port?: (port: string, step: CheckedStep) => Findings
}

/** The words of a FROM after expansion. */
export interface ExpandedFrom {
  readonly stage: Stage
  readonly image: Expanded
  readonly platform: Expanded | undefined
}

/** The platform that a base image was asked for, and the one that it has. */
export interface BasePlatforms {
  /** As named in the Dockerfile, expanded. */
  readonly image: string
  readonly expected: Platform
  readonly actual: Platform
}

/** A finding about an instruction as a whole. */
export function findingAt(instruction: Instruction, message: Finding['message']): Finding {
  return { message, range: instruction.range, by: instruction }
}
