import assert from 'node:assert/strict'
import { keyPassword } from '../../../cli/io/key-password.ts'
import { FakeKeyboard, fakeShell } from '../support/fake-shell.ts'

function terminal(env: Readonly<Record<string, string>> = {}) {
  const keyboard = new FakeKeyboard()
  return { keyboard, shell: { ...fakeShell(), env, stdin: keyboard } }
}

/** Types a line once it is asked for, and then the next one. */
async function typed(keyboard: FakeKeyboard, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    keyboard.write(`${line}\r`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('the password of a key', () => {
  it('comes from COSIGN_PASSWORD, also when that is empty', async () => {
    for (const COSIGN_PASSWORD of ['secret', '']) {
      const { shell } = terminal({ COSIGN_PASSWORD })
      assert.equal(await keyPassword(shell, { isNew: true }), COSIGN_PASSWORD)
      assert.equal(shell.err(), '')
    }
  })

  it('is asked for at a terminal, twice for a new key', async () => {
    const once = terminal()
    const known = keyPassword(once.shell)
    await typed(once.keyboard, ['secret'])
    assert.equal(await known, 'secret')
    for (const second of ['secret', 'secrte']) {
      const { keyboard, shell } = terminal()
      const asked = keyPassword(shell, { isNew: true })
      const outcome = asked.catch(({ code }: { code: string }) => code)
      await typed(keyboard, ['secret', second])
      assert.equal(await outcome, second === 'secret' ? 'secret' : 'USAGE')
      assert.ok(!shell.err().includes('secr'))
    }
  })

  it('comes from standard input where that is asked for, without the end of its line', async () => {
    const { keyboard, shell } = terminal({ COSIGN_PASSWORD: 'other' })
    keyboard.end('secret\n')
    assert.equal(await keyPassword(shell, { isPiped: true }), 'secret')
  })

  it('cannot be asked for without a terminal', async () => {
    await assert.rejects(keyPassword(fakeShell()), { code: 'USAGE', hint: /COSIGN_PASSWORD/ })
  })
})
