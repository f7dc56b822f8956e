import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from '../../../e2e/support/tsbuild.ts'
import type { Said } from '../support/said.ts'
import { differentLines } from './different-lines.ts'

/** What today's docker says in the steps in which Debian's says something else: a `$` line, and indented ones. */
const FILE = join(FIXTURES, 'engine/todays-docker.txt')

/** By session and title. */
export type TodaysAnswers = ReadonlyMap<string, readonly string[]>

/** The name of a step: its session, and the first line of its title. */
export function stepName(session: string, title: string): string {
  const [line = '', ...rest] = title.split('\n')
  return `${session}: ${line}${rest.length === 0 ? '' : ' …'}`
}

/** The steps of a session in which two dockers differ, as today's has them. */
export function todaysAnswers(
  session: string,
  debians: readonly Said[],
  todays: readonly Said[],
): TodaysAnswers {
  const steps = debians.flatMap(({ title, lines }, index) => {
    const said = todays[index]?.lines ?? []
    const name = stepName(session, title)
    return differentLines(lines, said).length === 0 ? [] : [[name, said] as const]
  })
  return new Map(steps)
}

export function writeTodaysAnswers(answers: TodaysAnswers): void {
  const steps = [...answers].map(([name, lines]) =>
    [`$ ${name}`, ...lines.map((line) => `  ${line}`), ''].join('\n'),
  )
  writeFileSync(FILE, steps.join(''))
}

export function readTodaysAnswers(): TodaysAnswers {
  const [, ...steps] = readFileSync(FILE, 'utf8').split(/^\$ /m)
  return new Map(
    steps.map((step) => {
      const [name = '', ...lines] = step.trimEnd().split('\n')
      return [name, lines.map((line) => line.slice(2))] as const
    }),
  )
}
