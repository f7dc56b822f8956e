import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { capture, type Outcome } from '../../../support/peers/index.ts'
import { throwAwayRoot } from '../../../support/throw-away/index.ts'

describe('sandbox: in place', () => {
  it('does what a sandbox must do as far as a container lets it', async () => {
    const outcome = await runInRoot(new URL('./support/suite-in-place.js', import.meta.url))
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    assert.match(outcome.stdout, /\d{3} passing/)
  }).timeout(300_000)

  it('leaves nothing of a step and its secrets when the builder is killed', async () => {
    const outcome = await runInRoot(new URL('./support/killed-builder.js', import.meta.url))
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    assert.match(outcome.stdout, /^everything is gone$/m)
  })
})

function runInRoot(script: URL): Promise<Outcome> {
  const [command = '', ...words] = throwAwayRoot({ show: [] })
  return capture(command, [...words, process.execPath, fileURLToPath(script)])
}
