import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { addUser, removeUser, startAsUser } from '../support/ordinary-user.ts'

const RUNNER = fileURLToPath(new URL('../support/suite-as-user.js', import.meta.url))
const SUITE = fileURLToPath(new URL('./in-process.test.js', import.meta.url))
const USER = `tsbuild-containers-${process.pid}`

describe('containers: in this process, as an ordinary user', () => {
  let user: number
  before(() => {
    user = addUser(USER)
  })
  after(() => removeUser(USER))

  it('do what all containers must do', async () => {
    const child = startAsUser(user, [RUNNER, SUITE])
    const outputs = [text(child.stdout), text(child.stderr)]
    await once(child, 'close')
    const report = (await Promise.all(outputs)).join('')
    assert.equal(child.exitCode, 0, report)
    assert.match(report, /[2-9]\d passing/)
  }).timeout(300_000)
})
