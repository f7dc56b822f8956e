import assert from 'node:assert/strict'
import { parseAnnotations, parseSign } from '../../../cli/arguments/sign-values.ts'

describe('--sign', () => {
  it('names a key, and what is signed besides', () => {
    assert.deepEqual(parseSign(['key=team.key', 'key=env://K,annotation.env=a=b']), [
      { key: 'team.key', annotations: {} },
      { key: 'env://K', annotations: { env: 'a=b' } },
    ])
    assert.deepEqual(parseSign(['"key=a,b.key"']), [{ key: 'a,b.key', annotations: {} }])
  })

  it('says how it is written where it cannot be understood', () => {
    for (const value of ['team.key', '', 'annotation.a=b', 'key=', 'key=a,password=b']) {
      assert.throws(() => parseSign([value]), { code: 'USAGE', hint: /key=FILE/ })
    }
  })
})

describe('--annotation of signatures', () => {
  it('is a key and a value', () => {
    assert.deepEqual(parseAnnotations(['a=1', 'b=2=3', 'a=4']), { a: '4', b: '2=3' })
    for (const value of ['a', '=b']) {
      assert.throws(() => parseAnnotations([value]), { code: 'USAGE' })
    }
  })
})
