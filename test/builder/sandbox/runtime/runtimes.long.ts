import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { findPeers, unpackPeers } from '../../../support/peers/index.ts'
import { debianCrun } from '../support/crun.ts'
import { addUser, removeUser } from '../support/ordinary-user.ts'

const AS_USER = fileURLToPath(new URL('../support/suite-as-user.js', import.meta.url))
const BY_RUNTIME = fileURLToPath(new URL('../support/by-runtime.js', import.meta.url))
const USER = `tsbuild-runtime-${process.pid}`

/** Runs the suite with a runtime in a process of its own. @returns what it reports */
async function suite(runtime: string, uid: number): Promise<string> {
  const env = { HOME: '/nonexistent', PATH: process.env.PATH, TSBUILD_TEST_RUNTIME: runtime }
  const args = [AS_USER, BY_RUNTIME]
  const child = spawn(process.execPath, args, { uid, gid: uid, env })
  const outputs = [text(child.stdout), text(child.stderr)]
  await once(child, 'close')
  const report = (await Promise.all(outputs)).join('')
  assert.equal(child.exitCode, 0, report)
  return report
}

describe('sandbox: by a runtime', function () {
  this.timeout(600_000)
  let user: number
  before(() => {
    user = addUser(USER)
  })
  after(() => removeUser(USER))

  const runtimes: readonly (readonly [string, () => Promise<string> | string])[] = [
    ["Debian's runc", () => 'runc'],
    ["Debian's crun", debianCrun],
  ]
  for (const [name, find] of runtimes) {
    it(`does what every sandbox must do: ${name}`, async () => {
      assert.match(await suite(await find(), 0), /\d{3} passing/)
    })

    it(`does so as an ordinary user: ${name}`, async () => {
      assert.match(await suite(await find(), user), /\d{3} passing/)
    })
  }

  it("does what every sandbox must do: today's runc", async function () {
    const peers = findPeers()
    if (peers === undefined) this.skip()
    assert.match(await suite(`${await unpackPeers(peers)}/runc`, 0), /\d{3} passing/)
  })
})
