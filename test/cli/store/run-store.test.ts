import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Verification } from '#builder/verify'
import { openStore } from '#cache'
import { digestOf, hexOf, MEDIA_TYPES } from '#core'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

const TEXT = Buffer.from('a blob')

describe('tsbuild store verify', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  async function run(...argv: readonly string[]) {
    const shell = fakeShell({ env: { TSBUILD_ROOT: root } })
    const code = await runProgram(['store', 'verify', ...argv], shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  async function addBlob(): Promise<string> {
    await using store = openStore(root)
    const { digest } = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, TEXT)
    await store.sync()
    return store.blobs.path(digest)
  }

  it('says in a line what a sound store has', async () => {
    await addBlob()
    assert.deepEqual(await run(), {
      code: 0,
      out: `${root} is sound: 0 names, 1 blobs (6B), 0 folders of layers\n`,
      err: '',
    })
  })

  it('says in a line each what is wrong, what that means and what a repair does', async () => {
    const path = await addBlob()
    rmSync(path)
    writeFileSync(path, 'another')
    mkdirSync(join(root, 'tmp', '0123456789abcdef'))
    const digest = digestOf(TEXT)
    const found = await run()
    assert.equal(found.code, 1)
    assert.deepEqual(found.out.split('\n'), [
      'leftover  tmp has what a process that was killed left behind: it takes space until the next command (--repair removes it)',
      `DAMAGED   blob ${digest} holds other bytes (--repair sets it aside)`,
      `${root} is DAMAGED: 0 names, 1 blobs (7B), 0 folders of layers`,
      '',
    ])
    assert.match((await run()).out, /^DAMAGED {3}blob /m)
    const repaired = await run('--repair')
    assert.equal(repaired.code, 0)
    assert.match(repaired.out, /^REPAIRED {2}blob .* \(a repair sets it aside\)$/m)
    assert.deepEqual(readdirSync(join(root, 'blobs/sha256')), [])
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
    const aside = readdirSync(join(root, 'corrupt'))
    assert.equal(aside.length, 1)
    assert.ok(aside[0]?.startsWith(hexOf(digest)))
    const last = await run()
    assert.equal(last.code, 0)
    assert.match(last.out, /^leftover {2}corrupt has one thing that was found damaged/)
  })

  it('prints one document for programs', async () => {
    const path = await addBlob()
    rmSync(path)
    mkdirSync(path)
    const { code, out } = await run('--format', 'json')
    assert.equal(code, 1)
    const verification = JSON.parse(out) as Verification
    assert.equal(verification.isSound, false)
    assert.deepEqual(verification.findings, [
      {
        severity: 'damage',
        subject: `blob ${digestOf(TEXT)}`,
        problem: 'is a folder',
        remedy: 'sets it aside',
        state: 'found',
      },
    ])
  })

  for (const [argv, message] of [
    [['verify', '--format', 'xml'], /unknown format "xml"/],
    [['verfy'], /did you mean verify\?/],
    [[], /expected an argument/],
    [['verify', 'more'], /unexpected argument "more"/],
  ] as const) {
    it(`is used rightly: ${argv.join(' ') || 'no argument'}`, async () => {
      const shell = fakeShell({ env: { TSBUILD_ROOT: root } })
      assert.equal(await runProgram(['store', ...argv], shell), 1)
      assert.match(shell.err(), message)
    })
  }

  it('says so where there is no store', async () => {
    const { code, err } = await run('--root', join(root, 'nowhere'))
    assert.equal(code, 1)
    assert.match(err, /there is no store at .*nowhere \(NOT_FOUND\)\nhint: /)
  })
})
