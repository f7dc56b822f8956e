import type { Dockerfile, Stage, Word } from './ast.ts'

/** Where files come from: an earlier stage, or something outside the Dockerfile. */
export type SourceRef =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'scratch' }

/** A stage with its edges. */
export interface LinkedStage {
  readonly stage: Stage
  readonly base: SourceRef
  /** `--platform` after expansion. */
  readonly platform: string | undefined
  /** What `COPY --from` and `RUN --mount=from=` name, by the word as written. */
  readonly sources: ReadonlyMap<string, SourceRef>
}

/** The stages that the target needs, in file order; the target is among them. */
export interface InstructionGraph {
  readonly dockerfile: Dockerfile
  readonly stages: readonly LinkedStage[]
  readonly target: LinkedStage
}

export interface LinkOptions {
  /** Name of the stage to build, in any case; the last stage unless given. */
  readonly target?: string | undefined
  /** Expands a word of a FROM line with the global arguments. */
  readonly expand: (word: Word, stage: Stage) => string
}

/** Links stages. @throws {SourceError} DOCKERFILE_INVALID, USAGE */
export function linkStages(_dockerfile: Dockerfile, _options: LinkOptions): InstructionGraph {
  throw new Error('linkStages is not ready')
}
