import assert from 'node:assert/strict'
import type { Said } from '../support/said.ts'
import { Decisions } from './decisions.ts'
import { type DifferentLine, differentLines, pathOf } from './different-lines.ts'
import { readTodaysAnswers, stepNames, type TodaysAnswers } from './todays-answers.ts'

/** Who is compared, as `fixtures/engine/differences.txt` has them. */
interface Compared {
  readonly engine: string
  readonly witness: string
}

/**
 * Compares what engines say, step by step. Where today's docker answers otherwise than Debian's, either is right:
 * tsbuild is of today. In a document either is right for each value.
 */
export class Comparison {
  readonly #decisions = new Decisions()
  readonly #todays: TodaysAnswers
  readonly #compared: Compared

  constructor(compared: Compared, todays: TodaysAnswers = readTodaysAnswers()) {
    this.#compared = compared
    this.#todays = todays
  }

  /** Fails with all lines that differ and are not decided to. */
  check(session: string, theirs: readonly Said[], ours: readonly Said[]): void {
    assert.ok(theirs.length > 0, 'the witness says nothing')
    const faults = stepNames(session, theirs).flatMap((name, index) => {
      const rest = this.#faultsIn(name, theirs[index]?.lines ?? [], ours[index]?.lines ?? [])
      return rest.length === 0 ? [] : [`$ ${name}`, ...rest]
    })
    // Not as two values: their difference would be shortened.
    if (faults.length > 0) assert.fail(`it differs:\n${faults.join('\n')}`)
  }

  /** Fails with the decisions that were met nowhere, although their steps were played. */
  checkDecisions(): void {
    assert.deepEqual(this.#decisions.unmet(), [])
  }

  #faultsIn(
    step: string,
    theirs: readonly string[],
    ours: readonly string[],
  ): readonly DifferentLine[] {
    const { engine, witness: compared } = this.#compared
    this.#decisions.played({ step, engine, witness: compared })
    const explain = (lines: readonly string[], witness: string): readonly DifferentLine[] =>
      this.#decisions.unexplained(differentLines(lines, ours), { step, engine, witness })
    const faults = explain(theirs, compared)
    const todays = compared === 'docker.io' ? this.#todays.get(step) : undefined
    if (faults.length === 0 || todays === undefined) return faults
    const others = explain(todays, 'docker')
    if (isDocument(theirs) && isDocument(todays)) {
      const paths = new Set(others.map(pathOf))
      return faults.filter((line) => paths.has(pathOf(line)))
    }
    return others.length < faults.length ? others : faults
  }
}

/** Whether each line is a value, as `linesOf` writes them. */
function isDocument(lines: readonly string[]): boolean {
  return lines.length > 0 && lines.every((line) => /^(\d+: )?[.[].* = /.test(line))
}
