import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Redactor } from '../../../record/redactor.ts'

/** What a redactor makes of output that comes in pieces. */
function redacted(secrets: readonly string[], pieces: readonly string[]): string {
  const redactor = new Redactor(secrets.map((one) => Buffer.from(one)))
  const parts = pieces.map((piece) => redactor.push(Buffer.from(piece)))
  return Buffer.concat([...parts, redactor.end()]).toString()
}

describe('a redactor', () => {
  it('takes a secret out of output, wherever that is cut', () => {
    const output = 'token=s3cret! and s3cret again, s3c'
    for (let at = 0; at <= output.length; at += 1) {
      const pieces = [output.slice(0, at), output.slice(at)]
      assert.equal(redacted(['s3cret\n'], pieces), 'token=***! and *** again, s3c')
    }
  })

  it('takes each line of a secret out, but for short ones', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\n}\n-----END KEY-----\n'
    assert.equal(redacted([key], [`${key}} ok\n`]), '***\n***\n}\n***\n} ok\n')
  })

  it('knows a secret without what ends its lines', () => {
    assert.equal(redacted(['password\r\n'], ['<password>']), '<***>')
    assert.equal(redacted(['first line\r\nother line'], ['first line\nother line']), '***\n***')
    assert.equal(redacted(['\n', 'abc\n', ''], ['abc']), 'abc')
  })

  it('passes on at once what can be no secret', () => {
    const redactor = new Redactor([Buffer.from('abcdef')])
    assert.equal(Buffer.from(redactor.push(Buffer.from('What? '))).toString(), 'What? ')
    assert.equal(Buffer.from(redactor.push(Buffer.from('so abc'))).toString(), 'so ')
    assert.equal(Buffer.from(redactor.push(Buffer.from('x'))).toString(), 'abcx')
  })

  it('leaves no secret, and all else, however it is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 60 })
    const secret = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 7 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), secret, (pieces, one) => {
        const all = pieces.join('')
        assert.equal(redacted([one], pieces), all.replaceAll(one, '***'))
      }),
    )
  })
})
