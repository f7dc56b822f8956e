import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { addUser, removeUser, startAsUser } from '../support/ordinary-user.ts'

const SUITE = fileURLToPath(new URL('../support/suite-as-user.js', import.meta.url))
const USER = `tsbuild-suite-${process.pid}`

describe('sandbox: in this process, as an ordinary user', () => {
  let user: number
  before(() => {
    user = addUser(USER)
  })
  after(() => removeUser(USER))

  it('does what every sandbox must do', async () => {
    const child = startAsUser(user, [SUITE])
    const outputs = [text(child.stdout), text(child.stderr)]
    await once(child, 'close')
    const report = (await Promise.all(outputs)).join('')
    assert.equal(child.exitCode, 0, report)
    assert.match(report, /\d{3} passing/)
  }).timeout(300_000)
})
