import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRuntime } from '#builder/sandbox'

describe('finding an OCI runtime', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync('/tmp/tsbuild-runtime-test-')
  })
  after(() => rmSync(folder, { recursive: true }))

  function program(name: string, script: string): string {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('asks a program of the PATH, or a path, for its version', async () => {
    const path = program('crun', 'echo "crun version 1.8.1"; echo "commit: f8a0"')
    const expected = { kind: 'crun', path, version: '1.8.1' }
    assert.deepEqual(await findRuntime('crun', { PATH: `/nowhere:${folder}` }), expected)
    assert.deepEqual(await findRuntime(path, {}), expected)
    const own = program('mine', 'echo "runc version 1.3.0-rc.1+dev"')
    assert.deepEqual(await findRuntime('mine', { PATH: folder }), {
      kind: 'runc',
      path: own,
      version: '1.3.0-rc.1+dev',
    })
  })

  it('passes on nothing of the environment', async () => {
    const path = program('env', 'test -z "$CANARY" && echo "runc version 1"')
    process.env.CANARY = 'value'
    try {
      assert.equal((await findRuntime(path, process.env)).version, '1')
    } finally {
      delete process.env.CANARY
    }
  })

  it('finds runc in the directories of the system', async () => {
    assert.equal((await findRuntime('runc', {})).kind, 'runc')
  })

  for (const [what, script, message] of [
    ['another program', 'echo "youki 0.5"', /neither runc nor crun: its version is "youki 0\.5"/],
    ['one that says nothing', '', /neither runc nor crun: its version is ""/],
    ['one that fails', 'exit 3', /cannot be executed/],
    ['one that is broken', 'kill -SEGV $$', /cannot be executed/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const found = findRuntime(program('other', script), {})
      await assert.rejects(found, { code: 'SANDBOX_UNAVAILABLE', message })
    })
  }

  it('refuses what is missing or no program', async () => {
    for (const [name, message] of [
      ['no-such-runtime', /"no-such-runtime" is not in the PATH/],
      ['/no/such/runtime', /\/no\/such\/runtime is not a program/],
      [folder, /is not a program/],
      ['/etc/passwd', /is not a program/],
    ] as const) {
      await assert.rejects(findRuntime(name, process.env), { code: 'SANDBOX_UNAVAILABLE', message })
    }
  })
})
