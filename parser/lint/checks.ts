import { TsbuildError } from '#core'
import type { Dockerfile } from '../ast/ast.ts'
import { instructionsOf } from '../ast/visit.ts'
import type { ParseResult } from '../grammar/parse.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import { type CheckSettings, NO_SETTINGS, parseCheckSettings } from '../lines/check-settings.ts'
import { type IgnoreRules, parseDockerignore } from '../patterns/dockerignore.ts'
import { expandTracked } from '../scope/expanded.ts'
import { DEFAULT_PREDEFINED } from '../scope/global-scope.ts'
import type { SourceError } from '../text/diagnostics.ts'
import { type BaseFacts, checkSteps } from './check-steps.ts'
import { type CheckWarning, Linter } from './linter.ts'
import { type CheckedGlobals, checkedGlobals } from './rule/checked-globals.ts'
import type { BasePlatforms, ExpandedFrom } from './rule/rule.ts'
import { RULES } from './rules.ts'

/** What the checks need to know of a base image. */
export interface CheckedBase extends BaseFacts, BasePlatforms {}

/** What is given besides the Dockerfile. */
export interface ChecksOptions {
  /** Among them BUILDKIT_DOCKERFILE_CHECK, which takes the place of `# check=`. */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  /** Values of BUILDPLATFORM, TARGETARCH and so on; those of linux/amd64 unless given. */
  readonly predefined?: ReadonlyMap<string, string> | undefined
  /** Text of the `.dockerignore` that belongs to the build context. */
  readonly dockerignore?: string | undefined
  /** Called with every warning as soon as it is found. */
  readonly onWarning?: ((warning: CheckWarning) => void) | undefined
}

const SETTINGS_ARG = 'BUILDKIT_DOCKERFILE_CHECK'

/**
 * The build checks on one Dockerfile, in the two steps of a build: what needs the text alone, and what
 * needs the linked stages and their base images.
 */
export class DockerfileChecks {
  readonly globals: CheckedGlobals
  readonly #parsed: ParseResult
  readonly #ignore: IgnoreRules | undefined
  readonly #linter: Linter

  /** @throws {TsbuildError} USAGE for wrong settings, CONTEXT_INVALID for a wrong `.dockerignore` */
  constructor(parsed: ParseResult, options: ChecksOptions) {
    const { buildArgs = {}, predefined = DEFAULT_PREDEFINED, dockerignore = '' } = options
    const { dockerfile } = parsed
    this.#parsed = parsed
    this.#ignore = ignoreOf(dockerignore)
    this.globals = checkedGlobals(dockerfile, predefined, new Map(Object.entries(buildArgs)))
    const settings = settingsOf(dockerfile, buildArgs[SETTINGS_ARG])
    this.#linter = new Linter(settings, options.onWarning ?? (() => undefined))
  }

  /** In the order in which they were found. */
  get warnings(): readonly CheckWarning[] {
    return this.#linter.warnings
  }

  /** With `error=true`: the error that a build with warnings ends with. */
  failure(): SourceError | undefined {
    return this.#linter.failure()
  }

  /** Runs the checks that need the text alone; on a file with mistakes those up to the first one. */
  checkText(): void {
    const { dockerfile, diagnostics } = this.#parsed
    const error = diagnostics.find(({ severity }) => severity === 'error')
    const isAboutLine = error !== undefined && error.code !== 'file'
    const end = isAboutLine ? error.range.start.line : Infinity
    this.#addParserWarnings(end)
    for (const instruction of instructionsOf(dockerfile)) {
      if (instruction.range.start.line >= end) return
      this.#linter.run((rule) => rule.instruction?.(instruction))
    }
    if (error === undefined) this.#checkFile(dockerfile)
  }

  /**
   * Checks the stages of `graph`, spliced triggers included. Where `baseOf` gives nothing for an image,
   * variables that may come from it are not reported.
   */
  checkStages(
    graph: InstructionGraph,
    baseOf: (linked: LinkedStage) => CheckedBase | undefined,
  ): void {
    for (const linked of graph.stages) {
      const base = linked.base.kind === 'image' ? baseOf(linked) : undefined
      if (base !== undefined) this.#linter.run((rule) => rule.base?.(linked.stage.from, base))
    }
    checkSteps(graph, this.#linter, { globals: this.globals, baseOf, ignore: this.#ignore })
  }

  #checkFile(dockerfile: Dockerfile): void {
    const names = new Set<string>()
    for (const stage of dockerfile.stages) {
      this.#linter.run((rule) => rule.stage?.(stage, names))
      if (stage.name !== undefined) names.add(stage.name)
    }
    this.#linter.run((rule) => rule.file?.(dockerfile, this.globals))
    const context = { variables: this.globals.values, escape: dockerfile.escape }
    for (const stage of dockerfile.stages) {
      const { image, platform } = stage.from
      const expanded: ExpandedFrom = {
        stage,
        image: expandTracked(image.raw, context),
        platform: platform === undefined ? undefined : expandTracked(platform.raw, context),
      }
      this.#linter.run((rule) => rule.from?.(expanded, this.globals))
    }
  }

  #addParserWarnings(end: number): void {
    for (const { severity, code, message, range } of this.#parsed.diagnostics) {
      const rule = RULES.get(code)
      if (severity !== 'warning' || rule === undefined || range.start.line >= end) continue
      this.#linter.add(rule, [{ message, range }])
    }
  }
}

/**
 * A directive behind white space does not count. One with a mistake is an error of the file, which is
 * reported without its settings.
 */
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

/** `undefined` when nothing is left out of the build context for certain. */
function ignoreOf(dockerignore: string): IgnoreRules | undefined {
  if (dockerignore.trim() === '' || hasExceptions(dockerignore)) return undefined
  return parseDockerignore(dockerignore)
}

/**
 * True when a `.dockerignore` takes something back in: then the name of a directory does not say
 * whether the build context has anything of it.
 */
function hasExceptions(dockerignore: string): boolean {
  return dockerignore.split('\n').some((line) => line.trimStart().startsWith('!'))
}
