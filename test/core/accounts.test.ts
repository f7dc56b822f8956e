import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AccountLookup,
  parseAccountId,
  parseGroups,
  parsePasswd,
  unknownAccountError,
} from '#core'

const USER: AccountLookup = { what: 'user', code: 'NOT_FOUND' }

describe('users and groups of an image', () => {
  const ids: readonly (readonly [string, number | 'name' | 'out of range'])[] = [
    ['0', 0],
    ['007', 7],
    ['2147483647', 2147483647],
    ['2147483648', 'out of range'],
    ['4294967295', 'out of range'],
    ['4294967296', 'out of range'],
    ['99999999999999999999999', 'out of range'],
    ['-0', 'out of range'],
    ['-1', 'out of range'],
    ['', 'name'],
    ['root', 'name'],
    ['1e3', 'name'],
    ['0x0', 'name'],
    ['+0', 'name'],
    [' 0', 'name'],
    ['0 ', 'name'],
    ['1.0', 'name'],
    ['٠', 'name'],
  ]
  for (const [text, expected] of ids) {
    it(`takes ${JSON.stringify(text)} for ${expected}`, () => {
      if (expected === 'out of range') {
        assert.throws(() => parseAccountId(text, USER), { code: 'NOT_FOUND', message: /in range/ })
      } else {
        assert.equal(parseAccountId(text, USER), expected === 'name' ? undefined : expected)
      }
    })
  }

  it('reads lines that are whole', () => {
    const text =
      'app:x:5:6:An App:/home/app:/bin/sh\r\n\nx\nbad:x:4294967296:0::/:\n:x:1:1::/:\nlast:x:7:8'
    assert.deepEqual(parsePasswd(text), [
      { name: 'app', uid: 5, gid: 6, home: '/home/app' },
      { name: 'last', uid: 7, gid: 8, home: '' },
    ])
    assert.deepEqual(parseGroups('a:x:1:b,c\nhigh:x:2147483648:b\nd:x:2'), [
      { name: 'a', gid: 1, members: ['b', 'c'] },
      { name: 'd', gid: 2, members: [''] },
    ])
  })

  it('never gives an id that the kernel takes for another one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const { uid, gid } of parsePasswd(`a:x:${text}:${text}`)) {
          assert.ok(uid <= 2147483647 && gid <= 2147483647)
          assert.match(text, /^\d/)
        }
      }),
    )
  })

  it('names a suggestion', () => {
    const error = unknownAccountError('ap', [{ name: 'app' }], USER)
    assert.equal(error.message, 'unable to find user ap: no matching entries in passwd file')
    assert.match(error.hint ?? '', /^did you mean app\?/)
  })
})
