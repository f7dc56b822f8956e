/** What compares engines sees a difference where there is one, and none where there is none. */
import assert from 'node:assert/strict'
import { linesOf } from '../support/flatten.ts'
import { Placeholders } from '../support/placeholders.ts'
import { Comparison } from './comparison.ts'
import { Decisions } from './decisions.ts'
import { differentLines } from './different-lines.ts'

const ID = '0123456789ab'.repeat(6).slice(0, 64)
const OTHER = 'fedcba987654'.repeat(6).slice(0, 64)

/** What two steps say, the way that sessions have it. */
function said(...steps: readonly (readonly string[])[]): readonly string[] {
  const placeholders = new Placeholders({ '/work/place': 'work' })
  return steps.flatMap((lines) => {
    placeholders.next()
    return lines.map((line) => placeholders.put(line))
  })
}

describe('comparing engines', () => {
  it('sees no difference in ids, times, sizes and folders', () => {
    const one = said([ID, 'up 3 seconds, 1.2MB'], [`/work/place/x ${ID.slice(0, 12)}`, OTHER])
    const two = said([OTHER, 'up 5 seconds, 1.3MB'], [`/work/place/y ${OTHER.slice(0, 12)}`, ID])
    assert.deepEqual(one, two)
    assert.deepEqual(one, ['<id 1.1>', 'up <duration>, <size>', '<work>/… <id 1.1>', '<id 2.1>'])
  })

  it('sees that an id is of another thing', () => {
    assert.notDeepEqual(said([ID], [ID]), said([ID], [OTHER]))
    assert.deepEqual(said(['0001-01-01T00:00:00Z']), ['0001-01-01T00:00:00Z'])
  })

  it('sees each field of documents, in any order', () => {
    const [one, two] = [linesOf('[{"A":1,"B":{"C":[]}}]'), linesOf('[{"B":{"C":null},"A":1}]')]
    assert.deepEqual(differentLines(one, two), ['- [0].B.C = []', '+ [0].B.C = null'])
    assert.deepEqual(linesOf('{"Pid":12}'), linesOf('{"Pid":13}'))
    assert.notDeepEqual(linesOf('{"Pid":12}'), linesOf('{"Pid":0}'))
  })

  it('finds a line that is missing, is more, or is another', () => {
    const lines = ['a', 'b', 'c']
    assert.deepEqual(differentLines(lines, ['a', 'c']), ['- b'])
    assert.deepEqual(differentLines(lines, ['a', 'x', 'b', 'c']), ['+ x'])
    assert.deepEqual(differentLines(lines, ['a', 'b', 'z']), ['- c', '+ z'])
    assert.deepEqual(differentLines(lines, lines), [])
  })

  it('fails for a seeded difference, and when the witness says nothing', () => {
    const comparison = new Comparison({ engine: 'root', witness: 'docker.io' })
    const step = { title: 'docker seeded', lines: ['same', 'exit: 1'] }
    comparison.check('seeded', [step], [step])
    assert.throws(
      () => comparison.check('seeded', [step], [{ ...step, lines: ['same', 'exit: 2'] }]),
      /\$ seeded: docker seeded\n- exit: 1\n\+ exit: 2/,
    )
    assert.throws(() => comparison.check('seeded', [step], []), /- same/)
    assert.throws(() => comparison.check('seeded', [], []), /nothing/)
  })

  it("takes today's answer as well: the whole of a text, and each value of a document", () => {
    const step = (...lines: readonly string[]) => [{ title: 'docker seeded', lines }]
    const check = (debians: string[], todays: string[], ours: string[]): void => {
      const answers = new Map([['seeded: docker seeded', todays]])
      const comparison = new Comparison({ engine: 'root', witness: 'docker.io' }, answers)
      comparison.check('seeded', step(...debians), step(...ours))
    }
    check(['old', 'exit: 1'], ['new', 'exit: 2'], ['new', 'exit: 2'])
    assert.throws(() => check(['old', 'exit: 1'], ['new', 'exit: 2'], ['new', 'exit: 1']))
    const debians = ['.A = 1', '.B = 1', '.Old = 1']
    const todays = ['.A = 2', '.B = 2', '.New = 1']
    check(debians, todays, ['.A = 1', '.B = 2', '.New = 1', '.Old = 1'])
    check(debians, todays, ['.A = 1', '.B = 2'])
    assert.throws(() => check(debians, todays, ['.A = 3', '.B = 2']), /\+ \.A = 3/)
    assert.throws(() => check(debians, todays, ['.A = 1']), /- \.B = 1/)
    assert.throws(() => check(debians, todays, ['.A = 1', '.B = 1', '.C = 1']), /\+ \.C = 1/)
    assert.throws(() => check(debians, todays, ['.A = 1', '.B = 1', '.New = 2']), /\.New = 2/)
  })

  it('takes decisions where they are valid, and tells which were not met', () => {
    const text = '= why\n@ step run: docker a*\n@ engine root\n- old *\n+ new\n?+ maybe\n'
    const place = { step: 'run: docker a b', engine: 'root', witness: 'docker.io' }
    const decisions = new Decisions(text)
    assert.deepEqual(decisions.unmet(), [])
    assert.deepEqual(decisions.unexplained(['- old words', '+ other'], place), ['+ other'])
    // Of what is only looked at beside, nothing has to be met.
    assert.deepEqual(decisions.unmet(), [])
    decisions.played(place)
    assert.deepEqual(decisions.unmet(), ['why: + new'])
    const elsewhere = { ...place, engine: 'rootless' }
    assert.deepEqual(decisions.unexplained(['- old words'], elsewhere), ['- old words'])
  })
})
