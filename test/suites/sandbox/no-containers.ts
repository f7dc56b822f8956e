import assert from 'node:assert/strict'
import { type OpenSandbox, SandboxFixture } from './fixture.ts'

/** A sandbox that has steps only. */
export function noContainersSuite(open: OpenSandbox): void {
  describe('containers', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('are refused, whatever they ask for, and steps are not', async () => {
      for (const container of [{}, { privileged: true }, { capabilities: [] }]) {
        await assert.rejects(fixture.run(['true'], { container }), { code: 'UNSUPPORTED' })
      }
      assert.equal((await fixture.run(['true'])).exitCode, 0)
    })
  })
}
