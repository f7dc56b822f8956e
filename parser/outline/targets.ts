import type { Dockerfile } from '../ast/ast.ts'
import { descriptionOf } from '../lines/instruction-comments.ts'
import type { SourceRange } from '../text/source.ts'

/** One stage, as something that can be built. */
export interface Target {
  /** Lower-cased; `undefined` without AS. */
  readonly name: string | undefined
  /** True for the stage that is built when none is named. */
  readonly isDefault: boolean
  /** Of a comment `# name description` above FROM. */
  readonly description: string | undefined
  /** As written. */
  readonly base: string
  readonly platform: string | undefined
  readonly range: SourceRange
}

/** All stages of a Dockerfile, in file order. */
export function listTargets({ stages }: Dockerfile): readonly Target[] {
  return stages.map(({ index, name, from }) => ({
    name,
    isDefault: index === stages.length - 1,
    description: name === undefined ? undefined : descriptionOf(from, name),
    base: from.image.raw,
    platform: from.platform?.raw,
    range: from.range,
  }))
}
