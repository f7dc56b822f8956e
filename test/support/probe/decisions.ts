import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Difference, Direction } from './differences.ts'
import { PROBE_FOLDER } from './program.ts'

/** Where facts were found: a kind of step of ours, and what it is compared with. */
export interface Comparison {
  readonly run: string
  readonly witness: string
}

/** One entry of `fixtures/probe/differences.txt`; the file describes the form. */
export interface Decision extends Partial<Comparison> {
  readonly title: string
  readonly direction: Direction
  readonly facts: readonly FactPattern[]
}

interface FactPattern {
  readonly text: string
  /** Whether a machine may be without it. */
  readonly isOptional: boolean
}

/** The decisions in which a step of ours differs from one of BuildKit's. */
function readDecisions(): readonly Decision[] {
  const text = readFileSync(join(PROBE_FOLDER, 'differences.txt'), 'utf8')
  const [, ...entries] = text.split(/^= /m)
  return entries.map(readDecision)
}

function readDecision(entry: string): Decision {
  const [title = '', ...lines] = entry.split('\n').filter((line) => line.trim() !== '')
  const direction = /^(laxer|stricter|other): ./.exec(title)?.[1] as Direction | undefined
  const unknown = lines.find((line) => !/^([-?] .|@ (run|witness) .)/.test(line))
  if (direction === undefined || unknown !== undefined) {
    throw new Error(`differences.txt: what does "${unknown ?? title}" mean?`)
  }
  const run = markedWith(lines, '@ run ')
  const witness = markedWith(lines, '@ witness ')
  return {
    ...{ title, direction },
    ...(run === undefined ? {} : { run }),
    ...(witness === undefined ? {} : { witness }),
    facts: lines
      .filter((line) => !line.startsWith('@'))
      .map((line) => ({ text: line.slice(2), isOptional: line.startsWith('?') })),
  }
}

function markedWith(lines: readonly string[], mark: string): string | undefined {
  return lines.find((line) => line.startsWith(mark))?.slice(mark.length)
}

/** Remembers which decisions were needed, over all comparisons. */
export class Decisions {
  readonly #all: readonly Decision[] = readDecisions()
  readonly #used = new Set<FactPattern>()
  readonly #comparisons: Comparison[] = []

  /** The differences that no decision explains. */
  unexplained(differences: readonly Difference[], comparison: Comparison): readonly Difference[] {
    this.#comparisons.push(comparison)
    const valid = this.#all.filter((decision) => isFor(decision, comparison))
    return differences.filter(({ fact, direction }) => {
      const found = valid
        .filter((decision) => decision.direction === direction)
        .flatMap((decision) => decision.facts)
        .filter(({ text }) => matches(text, fact))
      for (const pattern of found) this.#used.add(pattern)
      return found.length === 0
    })
  }

  /** Facts of decisions that no comparison had, so that no decision outlives its reason. */
  unused(): readonly string[] {
    return this.#all
      .filter((decision) => this.#comparisons.some((one) => isFor(decision, one)))
      .flatMap(({ title, facts }) =>
        facts
          .filter((pattern) => !pattern.isOptional && !this.#used.has(pattern))
          .map(({ text }) => `${title}: ${text}`),
      )
  }
}

function isFor(decision: Decision, { run, witness }: Comparison): boolean {
  const isIn = (words: string | undefined, name: string): boolean =>
    words === undefined || words.split(' ').some((word) => matches(word, name))
  return isIn(decision.run, run) && isIn(decision.witness, witness)
}

/** `*` stands for any text. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}
