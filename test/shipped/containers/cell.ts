import assert from 'node:assert/strict'
import type { Row } from './rows/row.ts'
import { type Column, flagsOf, SECRET } from './support/builds.ts'
import { differencesOf } from './support/differences.ts'
import { digestOf, hostImage } from './support/host-builds.ts'
import type { Matrix } from './support/matrix.ts'
import { failureOf, warningsOf } from './support/report.ts'

/** Builds a column in a container of a row's kind, and checks that it becomes what the row says. */
export async function checkCell(matrix: Matrix, row: Row, column: Column): Promise<void> {
  const { registry, site } = matrix
  const image = `cells/${nameOf(site.engine.name, row.name, column)}:latest`
  const outcome = await site.run({
    kind: row.kind,
    context: matrix.contextOf(column),
    flags: [...flagsOf(column, registry.host), '-t', `${registry.host}/${image}`],
    env: { TOKEN: SECRET },
  })
  const failure = row.fails[column]
  assert.equal(failureOf(outcome.stderr), failure, outcome.stderr)
  assert.equal(outcome.status, failure === undefined ? 0 : 1, outcome.stderr)
  if (failure !== undefined) return
  const warnings = column === 'copies' ? [] : [...row.warnings, ...also(row, column)]
  assert.deepEqual(warningsOf(outcome.stderr).toSorted(), warnings.toSorted())
  const expected = await matrix.hostBuilds.digest(column)
  if ((await digestOf(registry, image)) === expected) return
  assert.fail(
    `it differs from the host's\n${await differencesOf(registry, hostImage(column), image)}`,
  )
}

function nameOf(...words: readonly string[]): string {
  return words
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
}

function also({ alsoWarns }: Row, column: Column): readonly string[] {
  const warning = alsoWarns?.[column]
  return warning === undefined ? [] : [warning]
}
