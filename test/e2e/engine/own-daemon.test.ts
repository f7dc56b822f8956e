/** The daemon that the commands for containers start themselves. */
import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import {
  createUser,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { installedFor } from '../support/installed.ts'
import { tsbuild } from '../support/tsbuild.ts'

/** Milliseconds. */
const PATIENCE = 20_000

describe("tsbuild's own daemon", () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('own-daemon')
  })
  after(async () => {
    for (const pid of daemonsOf(directory.path)) await end(pid)
    directory[Symbol.dispose]()
  })

  it('is started by the first command that needs it, by one of several, and serves the others', async () => {
    const root = directory.file('store')
    const start = { root, env: { DOCKER_CONFIG: directory.file('docker') } }
    assert.deepEqual(daemonsOf(root), [])
    const together = await Promise.all([1, 2, 3].map(() => tsbuild(['ps', '-q'], start)))
    for (const { status, stdout, stderr } of together) {
      assert.deepEqual({ status, stdout }, { status: 0, stdout: '' }, stderr)
    }
    const [pid, ...others] = daemonsOf(root)
    assert.ok(pid)
    assert.deepEqual(others, [])
    assert.match((await tsbuild(['ps'], start)).stdout, /^CONTAINER ID +IMAGE/)
    assert.deepEqual(daemonsOf(root), [pid])
    await end(pid)
    assert.equal((await tsbuild(['ps', '-q'], start)).status, 0)
    assert.equal(daemonsOf(root).length, 1)
  })

  it('lies in the store where a user has no folder for what runs', async () => {
    await using user = await createUser()
    await using installed = await installedFor(user)
    const root = `${user.home}/fresh`
    const [command = '', ...words] = [...user.prefix, ...installed.command]
    const ask = async (): Promise<string> =>
      (await run(command, [...words, '--root', root, 'ps', '-q'], { env: { HOME: user.home } }))
        .stdout
    assert.equal(await ask(), '')
    const [pid] = daemonsOf(root)
    assert.ok(pid)
    assert.ok(lstatSync(`${root}/run/engine.sock`).isSocket())
    await end(pid)
    assert.equal(await ask(), '')
    for (const again of daemonsOf(root)) await end(again)
  })

  it('is none of a command that names another one', async () => {
    const root = directory.file('other')
    const named = await tsbuild(['-H', `unix://${directory.file('none')}`, 'ps'], { root })
    assert.equal(named.status, 1)
    assert.match(named.stderr, /Cannot connect to the Docker daemon at unix:\/\/.*none/)
    assert.deepEqual(daemonsOf(root), [])
  })
})

/** Processes that serve a store below a folder. */
function daemonsOf(folder: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    const words = /^\d+$/.test(name) ? commandLine(name) : []
    const root = words[words.indexOf('--root') + 1] ?? ''
    return words.includes('serve') && root.startsWith(folder) ? [Number(name)] : []
  })
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  const deadline = performance.now() + PATIENCE
  while (commandLine(String(pid)).length > 1) {
    assert.ok(performance.now() < deadline, `the daemon ${pid} does not end`)
    await setTimeout(20)
  }
}
