import { TsbuildError } from '#core'
import { expandWord, type InstructionGraph, type LinkedStage, type StageInstruction } from '#parser'
import type { ExpandScope } from '../variables/expand.ts'

/** `[build 2/5] ` in front of step names, counted as BuildKit does. */
export class StepNames {
  readonly #label: string
  readonly #total: number
  #next = 1

  /** `platform`: shown where several are built for. */
  constructor(linked: LinkedStage, graph: InstructionGraph, platform: string | undefined) {
    const { stage, base } = linked
    const isOnly = graph.dockerfile.stages.length === 1 && !stage.instructions.some(hasSource)
    const name = isOnly ? [] : [stage.name ?? `stage-${stage.index}`]
    this.#label = [...(platform === undefined ? [] : [platform]), ...name, ''].join(' ')
    const isImage = base.kind === 'image' && base.context === undefined
    this.#total = stage.instructions.filter(isStep).length + (isImage ? 1 : 0)
  }

  /** The name of the next step that does `text`. */
  step(text: string): string {
    return `[${this.#label}${this.#next++}/${this.#total}] ${text}`
  }
}

/**
 * An instruction as shown to people: the keyword in upper case, variables with a value replaced,
 * everything else as written.
 */
export function shownText(text: string, { variables, escape: mark }: ExpandScope): string {
  const keyword = /^\S*/.exec(text)?.[0] ?? ''
  const shown = keyword.toUpperCase() + text.slice(keyword.length)
  try {
    const lookup = (name: string): string | undefined => variables.get(name)
    return expandWord(shown, { lookup, escape: mark, quotes: 'show', unset: 'keep' })
  } catch (cause) {
    // A command has its own rules for quotes and dollar signs.
    if (cause instanceof TsbuildError) return shown
    throw cause
  }
}

/** What BuildKit counts as one more stage: the source of a copy, and that of a mount, which may be nothing. */
function hasSource(instruction: StageInstruction): boolean {
  if (instruction.kind === 'run') return instruction.mounts.length > 0
  return instruction.kind === 'copy' && instruction.from !== undefined
}

/** Whether an instruction makes a layer. */
export function isStep({ kind }: StageInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir'
}
