import assert from 'node:assert/strict'
import { ask, askSecret } from '../../../cli/io/prompt.ts'
import { FakeKeyboard, fakeShell } from '../support/fake-shell.ts'

function withKeyboard() {
  const keyboard = new FakeKeyboard()
  const abort = new AbortController()
  const shell = { ...fakeShell(), stdin: keyboard, signal: abort.signal }
  return { keyboard, abort, shell }
}

describe('a prompt', () => {
  it('asks on standard error', async () => {
    const { keyboard, shell } = withKeyboard()
    const answer = ask('Name: ', shell)
    keyboard.write('me\n')
    assert.equal(await answer, 'me')
    assert.equal(shell.err(), 'Name: ')
    assert.equal(shell.out(), '')
  })

  it('fails when standard input ends', async () => {
    const { keyboard, shell } = withKeyboard()
    keyboard.end()
    await assert.rejects(ask('Name: ', shell), { code: 'CANCELLED' })
  })
})

describe('a prompt for a secret', () => {
  for (const [what, keys, secret] of [
    ['is read without an echo', ['pass', 'word\r'], 'password'],
    ['can be corrected', ['abx\x7fcd\b\r'], 'abc'],
    ['can be started again', ['wrong\x15right\n'], 'right'],
    ['ignores other control keys', ['a\x01\x1bb\n'], 'ab'],
  ] as const) {
    it(what, async () => {
      const { keyboard, shell } = withKeyboard()
      const answer = askSecret('Password: ', shell)
      for (const piece of keys) keyboard.write(piece)
      assert.equal(await answer, secret)
      assert.equal(shell.err(), 'Password: \n')
      assert.deepEqual(keyboard.rawModes, [true, false])
    })
  }

  it('is cancelled by Ctrl-C, the end of input and a signal', async () => {
    for (const cancel of ['\x03', '\x04', 'end', 'abort']) {
      const { keyboard, shell, abort } = withKeyboard()
      const answer = askSecret('Password: ', shell)
      if (cancel === 'end') keyboard.end()
      else if (cancel === 'abort') abort.abort(new Error('stopped'))
      else keyboard.write(cancel)
      await assert.rejects(answer)
      assert.deepEqual(keyboard.rawModes, [true, false])
    }
  })
})
