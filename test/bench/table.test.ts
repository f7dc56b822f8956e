import assert from 'node:assert/strict'
import type { Goal } from '../../bench/report/goal.ts'
import { formatHead, formatRow, type Row } from '../../bench/report/table.ts'

const SAMPLES: Row['samples'] = new Map([
  ['tsbuild', [100, 300, 200]],
  ['BuildKit', [500, 400, 1600]],
  ['node -e 0', [50, 40, 60]],
])

function cellsOf(row: Partial<Row>, builders = ['tsbuild', 'BuildKit', 'buildah']): string[] {
  const whole = { title: 'a row', samples: SAMPLES, beside: undefined, goal: undefined, ...row }
  return split(formatRow(whole, builders))
}

function split(line = ''): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

describe('the table of measurements', () => {
  it('has medians, ranges and ratios, and a dash for what was not measured', () => {
    assert.deepEqual(cellsOf({ beside: 'node -e 0' }), [
      'a row',
      '200 ms (100–300)',
      '500 ms (400–1,600), 2.50×',
      '–',
      '`node -e 0` 50.0 ms (40.0–60.0)',
      '',
      '',
    ])
  })

  it('has a column for each builder', () => {
    const [head, rule] = formatHead(['tsbuild', 'BuildKit']).split('\n').map(split)
    assert.deepEqual(head, ['', 'tsbuild', 'BuildKit', 'beside', 'goal', 'met'])
    assert.equal(rule?.length, head?.length)
  })

  const goals: readonly (readonly [goal: Goal, text: string, verdict: string])[] = [
    [{ ofBuildKit: 0.5 }, '≤ 0.5 × BuildKit', 'yes'],
    [{ ofBuildKit: 0.3 }, '≤ 0.3 × BuildKit', '**no**'],
    [{ ofBuildKit: 1 / 7 }, '≤ 1/7 × BuildKit', '**no**'],
    [{ ofBuildKit: 1 }, '≤ BuildKit', 'yes'],
    [{ seconds: 0.2 }, '≤ 0.2 s', 'yes'],
    [{ seconds: 0.1 }, '≤ 0.1 s', '**no**'],
    [{ ofBuildKit: 0.1, ofBeside: 4 }, '≤ 0.1 × BuildKit or ≤ 4 × `node -e 0`', 'yes'],
    [{ ofBuildKit: 0.1, ofBeside: 3 }, '≤ 0.1 × BuildKit or ≤ 3 × `node -e 0`', '**no**'],
    [{ ofBuildKit: 0.5, and: { ofBuildah: 0.5 } }, '≤ 0.5 × BuildKit and ≤ 0.5 × buildah', 'yes'],
    [
      { ofBuildKit: 0.3, and: { ofBuildah: 0.5 } },
      '≤ 0.3 × BuildKit and ≤ 0.5 × buildah',
      '**no**',
    ],
    [
      { ofBuildKit: 0.5, and: { ofBuildah: 0.2 } },
      '≤ 0.5 × BuildKit and ≤ 0.2 × buildah',
      '**no**',
    ],
  ]
  for (const [goal, text, verdict] of goals) {
    it(`says of the goal ${text} whether it is met: ${verdict}`, () => {
      const samples = new Map([...SAMPLES, ['buildah', [600]]])
      assert.deepEqual(cellsOf({ samples, goal, beside: 'node -e 0' }).slice(-2), [text, verdict])
    })
  }

  it('says nothing of a goal where BuildKit was not measured', () => {
    const samples = new Map([
      ['tsbuild', [1]],
      ['abc1234', [2]],
    ])
    const cells = cellsOf({ samples, goal: { ofBuildKit: 1 } }, ['tsbuild', 'abc1234'])
    assert.deepEqual(cells.slice(1), [
      '1.0 ms (1.0–1.0)',
      '2.0 ms (2.0–2.0), 2.00×',
      '',
      '≤ BuildKit',
      '',
    ])
  })
})
