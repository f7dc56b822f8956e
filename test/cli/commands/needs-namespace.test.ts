import assert from 'node:assert/strict'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { BUILD } from '../../../cli/commands/build/build.ts'

describe('tsbuild build', () => {
  const needs = async (...argv: readonly string[]): Promise<boolean | undefined> => {
    return BUILD.needsNamespace?.(parseFlags(argv, BUILD.flags))
  }

  it('takes a namespace for steps, unless it answers a question or they run in place', async () => {
    assert.equal(await needs('.'), true)
    assert.equal(await needs('--isolation=namespaces', '.'), true)
    assert.equal(await needs('--call=build,format=json', '.'), true)
    assert.equal(await needs('--isolation=in-place', '.'), false)
    assert.equal(await needs('--check', '.'), false)
    assert.equal(await needs('--call', 'outline', '.'), false)
  })
})
