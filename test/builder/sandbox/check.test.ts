import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { checkSandbox } from '#builder/sandbox'

describe('checkSandbox', () => {
  it('finds that steps run here, and leaves nothing', async () => {
    const directory = mkdtempSync('/tmp/tsbuild-check-test-')
    try {
      const checks = await checkSandbox(directory)
      const problems = checks.filter((check) => check.state === 'missing')
      assert.deepEqual(problems, [])
      assert.equal(checks.at(-1)?.subject, 'trial step')
      assert.deepEqual(readdirSync(directory), [])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
