import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { spawnInRoot } from './support/throw-away-root.ts'

const SUITE = new URL('./support/suite-in-place.js', import.meta.url)

describe('sandbox: in place', () => {
  it('does what a sandbox must do as far as a container lets it', async () => {
    const child = spawnInRoot(SUITE)
    const outputs = [child.stdout, child.stderr].map((stream) => (stream === null ? '' : text(stream)))
    await once(child, 'close')
    const report = (await Promise.all(outputs)).join('')
    assert.equal(child.exitCode, 0, report)
    assert.match(report, /\d{2,} passing/)
  }).timeout(300_000)
})
