import assert from 'node:assert/strict'
import { byCreation, formatTime, formatWholeTime, parseMoment, parseTime } from '#engine/model'

const SECOND = 1_000_000_000n

describe('times', () => {
  it('are written with and without the zeros at their end', () => {
    const time = 1_700_000_000n * SECOND
    assert.equal(formatTime(time), '2023-11-14T22:13:20Z')
    assert.equal(formatTime(time + 50n), '2023-11-14T22:13:20.00000005Z')
    assert.equal(formatWholeTime(time), '2023-11-14T22:13:20.000000000Z')
    for (const one of [time, time + 1n, time + 999_999_999n]) {
      assert.equal(parseTime(formatTime(one)), one)
      assert.equal(parseTime(formatWholeTime(one)), one)
    }
    assert.equal(parseTime('2023-11-14'), undefined)
  })

  it('are in order, whatever zeros are left out', () => {
    const times = ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00.05Z', '2020-01-01T00:00:00.5Z']
    const made = times.map((created) => ({ created }))
    assert.deepEqual([...made].reverse().toSorted(byCreation), made)
  })

  it('are said as seconds, as dates and as how long ago', () => {
    const cases: readonly (readonly [string, bigint])[] = [
      ['0', 0n],
      ['1700000000', 1_700_000_000n * SECOND],
      ['1700000000.000000005', 1_700_000_000n * SECOND + 5n],
      ['2023-11-14T22:13:20Z', 1_700_000_000n * SECOND],
      ['2023-11-14T23:13:20+01:00', 1_700_000_000n * SECOND],
      ['2023-11-14T22:13:20.000000007Z', 1_700_000_000n * SECOND + 7n],
      ['2023-11-14T22:13Z', 1_699_999_980n * SECOND],
      ['2023-11-14Z', 1_699_920_000n * SECOND],
      ['2023-11-14T22:13:20', BigInt(Date.parse('2023-11-14T22:13:20')) * 1_000_000n],
      ['2023-11-14', BigInt(Date.parse('2023-11-14T00:00')) * 1_000_000n],
    ]
    for (const [text, time] of cases) assert.equal(parseMoment(text), time, text)
    const before = BigInt(Date.now()) * 1_000_000n
    const off = parseMoment('1h30m') + 5400n * SECOND - before
    assert.ok(off >= 0n && off < 10n * SECOND)
  })

  it('that are none are refused in docker’s words', () => {
    for (const text of ['', 'yesterday', '2023-13-01', '1x', '2023-11-14T22:13:20 Z']) {
      const message = `failed to parse value as time or duration: ${JSON.stringify(text)}`
      assert.throws(() => parseMoment(text), { code: 'USAGE', message })
    }
  })
})
