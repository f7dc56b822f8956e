import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from '../../../e2e/support/tsbuild.ts'
import type { Said } from '../support/said.ts'
import { differentLines } from './different-lines.ts'

/** What today's docker says in the steps in which Debian's says something else: a `$` line, and indented ones. */
const FILE = join(FIXTURES, 'engine/todays-docker.txt')

/** By session and title. */
export type TodaysAnswers = ReadonlyMap<string, readonly string[]>

/** The names of steps: their session, the first line of their title, and which one it is of those that have it. */
export function stepNames(session: string, said: readonly Said[]): readonly string[] {
  const counts = new Map<string, number>()
  return said.map(({ title }) => {
    const [line = '', ...rest] = title.split('\n')
    const name = `${session}: ${line}${rest.length === 0 ? '' : ' …'}`
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count === 1 ? name : `${name} (${count})`
  })
}

/** The steps of a session in which two dockers differ, as today's has them. */
export function todaysAnswers(
  session: string,
  debians: readonly Said[],
  todays: readonly Said[],
): TodaysAnswers {
  const steps = stepNames(session, debians).flatMap((name, index) => {
    const said = todays[index]?.lines ?? []
    const isSame = differentLines(debians[index]?.lines ?? [], said).length === 0
    return isSame ? [] : [[name, said] as const]
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
