import assert from 'node:assert/strict'
import { signalNumber } from '#core'

describe('signals', () => {
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ...(['SIGTERM', 'TERM', 'term', 'sigterm', '15'].map((name) => [name, 15]) as [
      string,
      number,
    ][]),
    ['KILL', 9],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['rtmin+30', 64],
    ['RTMAX', 64],
    ['SIGRTMAX-1', 63],
    ['64', 64],
    ...[
      '0',
      '65',
      '-1',
      '',
      'SIG',
      'NONE',
      'RTMIN-1',
      'RTMAX+1',
      'RTMIN+31',
      'RTMAX-31',
      'RTMIN+',
    ].map((name) => [name, undefined] as const),
  ]
  for (const [name, number] of numbers) {
    it(`${JSON.stringify(name)}: ${number ?? 'none'}`, () => {
      assert.equal(signalNumber(name), number)
    })
  }
})
