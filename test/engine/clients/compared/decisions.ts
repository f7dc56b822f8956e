import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from '../../../e2e/support/tsbuild.ts'
import type { DifferentLine } from './different-lines.ts'

/** Where a difference was found. */
export interface Place {
  /** Session and title of the step: `run: docker run --rm busybox true`. */
  readonly step: string
  /** Name of the engine under test. */
  readonly engine: string
  /** Name of the witness. */
  readonly witness: string
}

/** One entry of `fixtures/engine/differences.txt`; the file describes the form. */
interface Decision {
  readonly reason: string
  readonly steps: readonly string[]
  readonly engines: readonly string[]
  readonly witnesses: readonly string[]
  readonly lines: readonly LinePattern[]
}

interface LinePattern {
  readonly text: string
  /** Whether it may be missing everywhere. */
  readonly isOptional: boolean
}

/** The differences that are meant to be, and which of them were met. */
export class Decisions {
  readonly #all: readonly Decision[]
  readonly #met = new Set<LinePattern>()
  readonly #places: Place[] = []

  /** @param text as in `fixtures/engine/differences.txt`, which is the default */
  constructor(text: string = readFileSync(join(FIXTURES, 'engine/differences.txt'), 'utf8')) {
    const [, ...entries] = text.split(/^= /m)
    this.#all = entries.map(readDecision)
  }

  /** Notes that something was compared: what is decided for it has to be met. */
  played(place: Place): void {
    this.#places.push(place)
  }

  /** The lines that no decision explains. */
  unexplained(lines: readonly DifferentLine[], place: Place): readonly DifferentLine[] {
    const valid = this.#all.filter((decision) => isFor(decision, place))
    return lines.filter((line) => {
      const found = valid
        .flatMap((decision) => decision.lines)
        .filter(({ text }) => matches(text, line))
      for (const pattern of found) this.#met.add(pattern)
      return found.length === 0
    })
  }

  /** Lines of decisions that were met nowhere, although their steps were played. */
  unmet(): readonly string[] {
    return this.#all
      .filter((decision) => this.#places.some((place) => isFor(decision, place)))
      .flatMap(({ reason, lines }) =>
        lines
          .filter((pattern) => !pattern.isOptional && !this.#met.has(pattern))
          .map(({ text }) => `${reason}: ${text}`),
      )
  }
}

function readDecision(entry: string): Decision {
  const [reason = '', ...rest] = entry.split('\n').filter((line) => line.trim() !== '')
  const lines = rest.filter((line) => !line.startsWith('#'))
  const unknown = lines.find((line) => !/^(@ (step|engine|witness) .|\??[-+] ?)/.test(line))
  if (unknown !== undefined) throw new Error(`differences.txt: what does "${unknown}" mean?`)
  const marked = (name: string): readonly string[] => {
    const mark = `@ ${name} `
    return lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length))
  }
  return {
    reason,
    steps: marked('step'),
    engines: marked('engine').flatMap((names) => names.split(' ')),
    witnesses: marked('witness').flatMap((names) => names.split(' ')),
    lines: lines
      .filter((line) => !line.startsWith('@'))
      .map((line) => ({ text: line.replace(/^\?/, ''), isOptional: line.startsWith('?') })),
  }
}

function isFor({ steps, engines, witnesses }: Decision, place: Place): boolean {
  const isIn = (patterns: readonly string[], name: string): boolean =>
    patterns.length === 0 || patterns.some((pattern) => matches(pattern, name))
  return isIn(steps, place.step) && isIn(engines, place.engine) && isIn(witnesses, place.witness)
}

/** `*` stands for any text. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}
