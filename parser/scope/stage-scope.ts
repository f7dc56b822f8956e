import type { ArgInstruction, Dockerfile, StageInstruction } from '../ast/ast.ts'
import { type Expanded, expandNoting } from './expand-noting.ts'
import type { Globals, Variables } from './globals.ts'

/** What the config of a base image has to do with the checks. */
export interface BaseFacts {
  /** `KEY=value`. */
  readonly env: readonly string[]
  readonly hasShell: boolean
}

export interface ScopeInput {
  readonly escape: Dockerfile['escape']
  readonly globals: Globals
  readonly buildArgs: Variables
}

/** One variable of an ARG. */
export interface ArgValue {
  readonly key: string
  readonly value: string | undefined
  /** How its default was expanded; `undefined` when there is none or it is not used. */
  readonly expanded: Expanded | undefined
  /** True when it stands for the global argument of that name, whatever its value is. */
  readonly isInherited: boolean
}

/** Build arguments that the environment of a stage never has. */
export const NEVER_SET: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
])

/** What is defined at one place of a stage. It goes along with the instructions. */
export class StageScope {
  readonly #input: ScopeInput
  readonly #env: Map<string, string>
  readonly #declared: Set<string>
  /** False when the config of the base image is not known. */
  readonly isComplete: boolean
  /** The operating system of the stage. */
  readonly os: string
  hasShell: boolean
  hasWorkdir = false
  /** CMD, ENTRYPOINT and HEALTHCHECK of this stage, the last one of each. */
  readonly last: Map<StageInstruction['kind'], StageInstruction> = new Map()

  private constructor(
    input: ScopeInput,
    start: Pick<StageScope, 'isComplete' | 'hasShell' | 'os'>,
    env: Variables,
    declared: Iterable<string>,
  ) {
    this.#input = input
    this.isComplete = start.isComplete
    this.os = start.os
    this.hasShell = start.hasShell
    this.#env = new Map(env)
    this.#declared = new Set(declared)
  }

  /** A stage on an image, `undefined` when nothing is known of it. */
  static onImage(input: ScopeInput, base: BaseFacts | undefined, os: string): StageScope {
    const env = new Map([['PATH', '/']])
    for (const line of base?.env ?? []) {
      const equals = line.indexOf('=')
      if (equals < 0) env.set(line, '')
      else env.set(line.slice(0, equals), line.slice(equals + 1))
    }
    const start = { isComplete: base !== undefined, hasShell: base?.hasShell ?? false, os }
    return new StageScope(input, start, env, [])
  }

  /** A stage on this one, as it is now. */
  child(): StageScope {
    const scope = new StageScope(this.#input, this, this.#env, this.#declared)
    scope.hasWorkdir = this.hasWorkdir
    return scope
  }

  /** Names with a value. */
  get names(): Iterable<string> {
    return this.#env.keys()
  }

  isDeclared(name: string): boolean {
    return this.#declared.has(name)
  }

  expand(raw: string): Expanded {
    return expandNoting(raw, this.context)
  }

  /** A heredoc keeps its quotes, and its escape is always a backslash. */
  expandBody(content: string): Expanded {
    return expandNoting(content, { ...this.context, escape: '\\', quotes: 'ignore' })
  }

  get context(): { lookup: (name: string) => string | undefined; escape: ScopeInput['escape'] } {
    return { lookup: (name) => this.#env.get(name), escape: this.#input.escape }
  }

  /** Defines the variables of an ARG one after the other; each is handed out before it counts. */
  *declare({ args }: ArgInstruction): Generator<ArgValue> {
    const { buildArgs, globals } = this.#input
    for (const { key, value } of args) {
      const given = buildArgs.get(key)
      const expanded =
        given === undefined && value !== undefined ? this.expand(value.raw) : undefined
      const isInherited = value === undefined && globals.values.has(key)
      const result = given ?? (isInherited ? globals.values.get(key) : expanded?.value)
      yield { key, value: result, expanded, isInherited }
      if (result !== undefined && !NEVER_SET.has(key)) this.#env.set(key, result)
      this.#declared.add(key)
    }
  }

  /** What holds behind an instruction; ARG is a matter of `declare`. */
  advance(instruction: StageInstruction): void {
    switch (instruction.kind) {
      case 'env': {
        const entries = instruction.entries.map(({ key, value }) => {
          return [this.expand(key.raw).value, this.expand(value.raw).value] as const
        })
        for (const [key, value] of entries) if (key !== undefined) this.#env.set(key, value ?? '')
        break
      }
      case 'shell':
        this.hasShell = true
        break
      case 'workdir':
        this.hasWorkdir = true
        break
      case 'cmd':
      case 'entrypoint':
      case 'healthcheck':
        this.last.set(instruction.kind, instruction)
        break
      default:
        break
    }
  }
}
