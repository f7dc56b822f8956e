import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'
import { type Attempt, FIRST, type Held, LAST } from '../support/held-steps.ts'
import { addUser, removeUser } from '../support/ordinary-user.ts'

const BUILDER = fileURLToPath(new URL('../support/holding-builder.js', import.meta.url))
const USER = `tsbuild-held-${process.pid}`
/** A uid without an entry in passwd and without subordinate ids. */
const STRANGER = 54_323

describe('sandbox: what the builder has open', function () {
  this.timeout(240_000)
  let fixture: SandboxFixture
  let user: number

  before(() => {
    user = addUser(USER)
  })
  after(() => removeUser(USER))
  beforeEach(() => {
    fixture = inProcessFixture()
  })
  afterEach(() => fixture.close())

  const builders = [
    ['root', () => 0],
    ['a user with a range of ids', () => user],
    ['a user with one id', () => STRANGER],
  ] as const
  for (const [name, uid] of builders) {
    it(`is out of reach of each path that a step names: ${name}`, async () => {
      const attempts = await attemptAll(fixture, uid())
      const isTwin = ({ name }: Attempt): boolean => name.startsWith('twin')
      const attacks = attempts.filter((one) => !isTwin(one))
      assert.ok(attacks.length > (LAST - FIRST) * 5)
      assert.deepEqual(
        attacks.filter(({ refused = '' }) => !/^(STEP_FAILED|NOT_FOUND) /.test(refused)),
        [],
      )
      const twins = attempts.filter(isTwin)
      assert.ok(twins.length > 8)
      assert.deepEqual(
        twins.filter(({ output }) => output !== 'WORKS\n'),
        [],
      )
    })
  }
})

async function attemptAll(fixture: SandboxFixture, uid: number): Promise<readonly Attempt[]> {
  const held: Held = {
    temporary: `${fixture.directory}/temporary`,
    scratch: `${fixture.directory}/scratch`,
    lower: [makeLayer(fixture), fixture.image],
    folder: makeFolder(`${fixture.directory}/held`),
  }
  mkdirSync(held.scratch)
  const document = `${fixture.directory}/held.json`
  writeFileSync(document, JSON.stringify(held))
  spawnSync('chown', ['-R', '-h', `${uid}:${uid}`, fixture.directory])
  chmodSync(fixture.directory, 0o755)
  const child = spawn(process.execPath, [BUILDER, document], {
    uid,
    gid: uid,
    env: { HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  assert.equal(child.exitCode, 0, errors)
  return JSON.parse(output) as readonly Attempt[]
}

/** A folder of the host with programs that say when they are reached. */
function makeFolder(folder: string): string {
  mkdirSync(`${folder}/inner`, { recursive: true })
  copyFileSync('/bin/busybox', `${folder}/echo`)
  writeFileSync(`${folder}/script`, '#!/bin/sh\necho REACHED\n', { mode: 0o755 })
  return folder
}

/** Scripts and links that name each descriptor, and the tools of the twins. */
function makeLayer(fixture: SandboxFixture): string {
  const layer = fixture.layer()
  for (const name of ['scripts', 'links', 'tools', 'tools/data']) mkdirSync(`${layer}/${name}`)
  for (let number = FIRST; number <= LAST; number++) {
    const interpreter = `/proc/self/fd/${number}/echo`
    writeFileSync(`${layer}/scripts/${number}`, `#!${interpreter}\n`, { mode: 0o755 })
    symlinkSync(`/proc/self/fd/${number}`, `${layer}/links/${number}`)
  }
  symlinkSync('../bin/busybox', `${layer}/tools/echo`)
  symlinkSync('/bin/sh', `${layer}/tools/sh`)
  symlinkSync('data', `${layer}/tools/link`)
  writeFileSync(`${layer}/tools/data/note`, 'WORKS\n')
  writeFileSync(`${layer}/tools/script`, '#!/bin/sh\necho WORKS\n', { mode: 0o755 })
  writeFileSync(`${layer}/tools/linked`, '#!/tools/sh\necho $1\n', { mode: 0o755 })
  return layer
}
