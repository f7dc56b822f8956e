import assert from 'node:assert/strict'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { findEntry } from '../../../../builder/sandbox/root/root-entry.ts'

describe('an entry of a root', () => {
  it('is found when another step makes it at the same time', () => {
    const shared = mkdtempSync('/tmp/tsbuild-entry-test-')
    const root = openSync(shared, 'r')
    const entry = findEntry(root, 'a/b', {
      create: 'directory',
      onCreate: ({ parentNames, name }, make) => {
        mkdirSync([shared, ...parentNames, name].join('/'))
        make()
      },
    })
    assert.deepEqual(entry.names, ['a', 'b'])
    closeSync(entry.descriptor)
    closeSync(root)
    rmSync(shared, { recursive: true })
  })
})
