import assert from 'node:assert/strict'
import { bench } from '../support.ts'
import { BELOW, CONTENT, STAGES, WORDS } from './copy-rows.ts'
import type { Row } from './row.ts'
import { ABOVE, ARGUMENTS, MOUNTS, SETTINGS, TEXT } from './run-rows.ts'

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'the text of RUN': TEXT,
  'instructions around RUN': ABOVE,
  'arguments of the build': ARGUMENTS,
  'settings of RUN': SETTINGS,
  'mounts without files': MOUNTS,
  'files of the context': CONTENT,
  'the text of COPY, ADD and WORKDIR': WORDS,
  'instructions above COPY': BELOW,
  'files of a stage': STAGES,
}

/**
 * What the key of a step depends on: each row builds twice into one store and changes one thing. Where
 * the key is to stay, the second build finds the step; where it is to change, it executes it.
 */
describe('keys of steps', () => {
  for (const [name, rows] of Object.entries(TABLES)) {
    describe(name, () => {
      for (const row of rows) {
        const deviation =
          row.deviation === undefined ? '' : ` (not so in BuildKit: ${row.deviation})`
        it(`${row.what}: ${row.key}${deviation}`, async function () {
          if (row.needsRoot === true && process.geteuid?.() !== 0) this.skip()
          await check(row)
        })
      }
    })
  }

  it('are looked at one thing at a time', () => {
    const rows = Object.values(TABLES).flat()
    const kinds = Map.groupBy(rows, ({ key }) => key)
    assert.ok((kinds.get('changes')?.length ?? 0) > 50)
    assert.ok((kinds.get('stays')?.length ?? 0) > 40)
    for (const { what, from, to } of rows) {
      const isSame = from.dockerfile === to.dockerfile && from.request === to.request
      assert.ok(!isSame || to.prepare !== undefined, `${what}: nothing is changed`)
    }
  })
})

async function check({ from, to, key }: Row): Promise<void> {
  using at = bench()
  for (const path of ['a', 'd/a', 'd/sub/a']) at.put(path, 'a')
  from.prepare?.(at)
  const before = await at.solve(from.dockerfile, from.request)
  assert.equal(before.top.isCached, false)
  assert.match(before.top.key ?? '', /^[0-9a-f]{64}$/)
  to.prepare?.(at)
  const { top } = await at.solve(to.dockerfile, to.request)
  if (key === 'stays') assert.deepEqual(top, { key: before.top.key, isCached: true })
  else {
    assert.notEqual(top.key, before.top.key)
    assert.equal(top.isCached, false)
  }
}
