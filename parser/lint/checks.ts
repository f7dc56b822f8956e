import { TsbuildError } from '#core'
import type { Dockerfile, Instruction } from '../ast/ast.ts'
import { instructionsOf } from '../ast/visit.ts'
import type { ParseResult } from '../grammar/parse.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import { type CheckSettings, NO_SETTINGS, parseCheckSettings } from '../lines/check-settings.ts'
import { type IgnoreRules, parseDockerignore } from '../patterns/dockerignore.ts'
import { evaluateGlobals, type Globals, PREDEFINED, type Variables } from '../scope/globals.ts'
import type { BaseFacts } from '../scope/stage-scope.ts'
import { walkSteps } from '../scope/walk.ts'
import type { SourceError } from '../text/diagnostics.ts'
import { type BasePlatforms, checkBasePlatform } from './base-platform.ts'
import { checkCasing } from './casing.ts'
import { hasExceptions } from './copy-ignored.ts'
import { checkDescription, checkMaintainer } from './definitions.ts'
import { checkDefaultNames, checkFroms } from './from.ts'
import { type CheckWarning, type Finding, Linter } from './linter.ts'
import { RULES, type RuleName } from './rules.ts'
import { checkStageName, checkStageNames } from './stage-names.ts'
import { checkStep } from './steps.ts'

/** What a base image has to do with the checks. */
export interface CheckedBase extends BaseFacts, BasePlatforms {}

export interface ChecksOptions {
  /** Among them BUILDKIT_DOCKERFILE_CHECK, which takes the place of `# check=`. */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  /** Values of BUILDPLATFORM, TARGETARCH and so on; those of linux/amd64 unless given. */
  readonly predefined?: Variables | undefined
  /** Text of the `.dockerignore` that belongs to the build context. */
  readonly dockerignore?: string | undefined
  /** Told of every warning at once. */
  readonly onWarning?: ((warning: CheckWarning) => void) | undefined
}

const SETTINGS_ARG = 'BUILDKIT_DOCKERFILE_CHECK'

/**
 * The build checks on one Dockerfile, in the two stages in which a build gets to know it: what the
 * text alone tells, and what can be told when the bases are known.
 */
export class DockerfileChecks {
  readonly globals: Globals
  readonly #parsed: ParseResult
  readonly #buildArgs: Variables
  readonly #ignore: IgnoreRules | undefined
  readonly #linter: Linter

  /** @throws {TsbuildError} USAGE for wrong settings, CONTEXT_INVALID for a wrong `.dockerignore` */
  constructor(parsed: ParseResult, options: ChecksOptions) {
    const { buildArgs = {}, predefined = PREDEFINED, dockerignore = '' } = options
    this.#parsed = parsed
    this.#buildArgs = new Map(Object.entries(buildArgs))
    this.#ignore = ignoreOf(dockerignore)
    this.globals = evaluateGlobals(parsed.dockerfile, predefined, this.#buildArgs)
    const settings = settingsOf(parsed.dockerfile, buildArgs[SETTINGS_ARG])
    this.#linter = new Linter(settings, options.onWarning ?? (() => undefined))
  }

  /** In the order in which they were found. */
  get warnings(): readonly CheckWarning[] {
    return this.#linter.warnings
  }

  /** With `error=true`: what a build fails with when there are warnings. */
  failure(): SourceError | undefined {
    return this.#linter.failure()
  }

  /** Checks what the text tells; of a file with errors only what stands in front of the first one. */
  checkText(): void {
    const { dockerfile, diagnostics } = this.#parsed
    const error = diagnostics.find(({ severity }) => severity === 'error')
    const isAboutLine = error !== undefined && error.code !== 'file'
    const end = isAboutLine ? error.range.start.line : Infinity
    this.#linter.add(this.#parserWarnings(end))
    for (const instruction of instructionsOf(dockerfile)) {
      if (instruction.range.start.line >= end) return
      this.#linter.add(checkInstruction(instruction))
    }
    if (error !== undefined) return
    this.#linter.add(checkStageNames(dockerfile))
    this.#linter.add(checkCasing(dockerfile))
    this.#linter.add(checkDefaultNames(dockerfile, this.globals))
    this.#linter.add(checkFroms(dockerfile, this.globals))
  }

  /**
   * Checks the stages of `graph`, triggers that were spliced in included. Where `baseOf` knows nothing
   * of an image, nothing is said about variables that may come from it.
   */
  checkStages(
    graph: InstructionGraph,
    baseOf: (linked: LinkedStage) => CheckedBase | undefined,
  ): void {
    for (const linked of graph.stages) {
      const base = linked.base.kind === 'image' ? baseOf(linked) : undefined
      if (base !== undefined) this.#linter.add(checkBasePlatform(linked.stage.from, base))
    }
    const input = {
      escape: graph.dockerfile.escape,
      globals: this.globals,
      buildArgs: this.#buildArgs,
    }
    for (const step of walkSteps(graph, input, baseOf)) {
      if (this.#linter.isFull) return
      this.#linter.add(checkStep(step, this.#ignore))
    }
  }

  /** What the parser has noticed on the way. */
  *#parserWarnings(end: number): Generator<Finding> {
    for (const { severity, code, message, range } of this.#parsed.diagnostics) {
      if (severity !== 'warning' || !isRuleName(code) || range.start.line >= end) continue
      yield { rule: code, message, range }
    }
  }
}

function checkInstruction(instruction: Instruction): readonly Finding[] {
  switch (instruction.kind) {
    case 'maintainer':
      return checkMaintainer(instruction)
    case 'from':
      return [...checkStageName(instruction), ...checkDescription(instruction)]
    case 'arg':
      return checkDescription(instruction)
    default:
      return []
  }
}

function isRuleName(code: string): code is RuleName {
  return RULES.has(code as RuleName)
}

/** Nobody reads a directive behind white space. One with a mistake is an error of the file, so that its checks hardly matter. */
function settingsOf({ directives }: Dockerfile, argument: string | undefined): CheckSettings {
  const directive = directives.find(({ name, range }) => {
    return name === 'check' && range.start.column === 1
  })
  const settings = parseCheckSettings(argument ?? directive?.value ?? '')
  if (!('mistake' in settings)) return settings
  if (argument === undefined) return NO_SETTINGS
  throw new TsbuildError(`failed to parse build-arg:${SETTINGS_ARG}: ${settings.mistake}`, {
    code: 'USAGE',
    hint: 'write skip=all or skip=RULE,…, error=true, experimental=all or experimental=RULE,…; parts are separated by semicolons',
  })
}

/** `undefined` when it leaves out nothing for certain. */
function ignoreOf(dockerignore: string): IgnoreRules | undefined {
  if (dockerignore.trim() === '' || hasExceptions(dockerignore)) return undefined
  return parseDockerignore(dockerignore)
}
