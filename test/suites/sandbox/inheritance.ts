import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { openLibrary } from '#builder/linux'
import { type OpenSandbox, SandboxFixture, type SandboxTraits } from './fixture.ts'

/** How many descriptors are left open. */
const DESCRIPTORS = 40

/** What a process does not get from the builder that starts it. */
export function inheritanceSuite(open: OpenSandbox, { startsFirst }: SandboxTraits): void {
  describe('what the builder has', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    for (const init of startsFirst ? [true, false] : [true]) {
      it(`includes no descriptor for a process, init ${init}`, async () => {
        const path = `${fixture.directory}/canary-file`
        writeFileSync(path, 'canary-value')
        const secret = openSync(path, 'r')
        // Unlike one that Node opens, a duplicate stays open in a program that is started.
        const duplicate = openLibrary('libc.so.6')?.func('int dup(int)')
        assert.ok(duplicate)
        const duplicates = Array.from({ length: DESCRIPTORS }, () => Number(duplicate(secret)))
        try {
          assert.ok(duplicates.every((descriptor) => descriptor > 2))
          const script = 'ls -l /proc/self/fd 2>/dev/null; ls /proc/$$/fd; true'
          const text = await fixture.sh(script, { init })
          assert.doesNotMatch(text, /canary/)
          assert.deepEqual(text.trim().split('\n').slice(-3), ['0', '1', '2'])
        } finally {
          for (const descriptor of [secret, ...duplicates]) closeSync(descriptor)
        }
      })

      it(`includes no environment for a process, init ${init}`, async () => {
        process.env.TSB_CANARY = 'canary-value'
        try {
          const text = await fixture.sh('env; cat /proc/*/environ 2>/dev/null; true', { init })
          assert.match(text, /^PATH=\/bin\n/m)
          assert.doesNotMatch(text, /canary|NODE_/i)
        } finally {
          delete process.env.TSB_CANARY
        }
      })
    }
  })
}
