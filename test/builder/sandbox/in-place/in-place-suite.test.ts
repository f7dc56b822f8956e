import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { spawnInRoot, type ThrowAwayOptions } from './support/throw-away-root.ts'

describe('sandbox: in place', () => {
  it('does what a sandbox must do as far as a container lets it', async () => {
    const { exitCode, report } = await runInRoot(
      new URL('./support/suite-in-place.js', import.meta.url),
    )
    assert.equal(exitCode, 0, report)
    assert.match(report, /\d{3} passing/)
  }).timeout(300_000)

  it('leaves nothing of a step and its secrets when the builder is killed', async () => {
    const { exitCode, report } = await runInRoot(
      new URL('./support/killed-builder.js', import.meta.url),
    )
    assert.equal(exitCode, 0, report)
    assert.match(report, /^everything is gone$/m)
  })
})

interface Outcome {
  readonly exitCode: number | null
  /** Everything that it wrote. */
  readonly report: string
}

async function runInRoot(script: URL, options: ThrowAwayOptions = {}): Promise<Outcome> {
  const child = spawnInRoot(script, options)
  const streams = [child.stdout, child.stderr]
  const outputs = streams.map((stream) => (stream === null ? '' : text(stream)))
  await once(child, 'close')
  return { exitCode: child.exitCode, report: (await Promise.all(outputs)).join('') }
}
