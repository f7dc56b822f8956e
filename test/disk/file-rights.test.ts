import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { AnsweringProcess, LIMITED } from '../support/rights/index.ts'
import type { Found } from './limited.ts'

const CHILD = fileURLToPath(new URL('./limited.js', import.meta.url))
const PLAIN = { givesOwners: false, overridesModes: false, marks: 'user' }
const ONE_OWNER = { ...PLAIN, overridesModes: true }
const USER = { ...ONE_OWNER, givesOwners: true }

const RIGHTS: Readonly<Record<string, object>> = {
  'root without chown': ONE_OWNER,
  'root without dac_override': PLAIN,
  'root without fowner': ONE_OWNER,
  'root without fsetid': ONE_OWNER,
  'root without mknod': USER,
  'root without setfcap': USER,
  'root without sys_admin': USER,
  'root without capabilities': PLAIN,
  'an ordinary user': PLAIN,
  'a namespace with one id': ONE_OWNER,
}

describe('rights on files', () => {
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
  })

  async function found(name: string): Promise<Found> {
    using child = new AnsweringProcess(CHILD, LIMITED[name] ?? assert.fail(name))
    return (await child.ask(null)) as Found
  }

  for (const [name, rights] of Object.entries(RIGHTS)) {
    it(`are found: ${name}`, async () => {
      assert.deepEqual((await found(name)).rights, rights)
    })
  }

  it('are known of every kind of process', () => {
    assert.deepEqual(Object.keys(RIGHTS).sort(), Object.keys(LIMITED).sort())
  })
})

describe('a home folder', () => {
  it('is the root where the machine does not know the user', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    using child = new AnsweringProcess(CHILD, LIMITED['an ordinary user'] ?? assert.fail())
    assert.equal(((await child.ask(null)) as Found).home, '/')
  })
})
