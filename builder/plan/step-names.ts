import type { InstructionGraph, LinkedStage, StageInstruction } from '#parser'

/** `[build 2/5] ` in front of step names, counted as BuildKit does. */
export class StepNames {
  readonly #label: string
  readonly #total: number
  #next = 1

  constructor(linked: LinkedStage, graph: InstructionGraph) {
    const { stage, base } = linked
    const isOnly = graph.dockerfile.stages.length === 1 && stage.name === undefined
    this.#label = isOnly ? '' : `${stage.name ?? `stage-${stage.index}`} `
    this.#total = stage.instructions.filter(isStep).length + (base.kind === 'image' ? 1 : 0)
  }

  /** The name of the next step that does `text`. */
  step(text: string): string {
    return `[${this.#label}${this.#next++}/${this.#total}] ${text}`
  }
}

/** Whether an instruction makes a layer. */
function isStep(instruction: StageInstruction): boolean {
  const { kind } = instruction
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir'
}
