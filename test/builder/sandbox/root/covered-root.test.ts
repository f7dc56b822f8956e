import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeCallProgram, type ProgramCall } from '#builder/linux'
import type { ProcessSpec } from '../../../../builder/sandbox/spec/process-spec.ts'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))
const O_PATH = 0x200000
const AT_FDCWD = -100

describe('a root that covers the one of the host', () => {
  let fixture: SandboxFixture
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    fixture = inProcessFixture()
  })
  after(() => fixture?.close())

  /** Runs a step of a builder that may not call pivot_root. */
  function run(spec: ProcessSpec): { readonly code: number | null; readonly text: string } {
    const temporary = `${fixture.directory}/temporary`
    const document = JSON.stringify({ temporary, specs: [spec], refused: ['pivot_root'] })
    const ran = spawnSync(process.execPath, [BUILDER, document], { encoding: 'utf8' })
    return { code: ran.status, text: ran.stdout + ran.stderr }
  }

  it('is all that a step sees', () => {
    const script = 'ls /; pwd; grep -c tsbuild-sandbox-test /proc/mounts; ls /proc/1/root/'
    const { code, text } = run(fixture.spec(['sh', '-c', script]))
    assert.equal(code, 1)
    assert.equal(text, 'bin\ndev\netc\nproc\nsys\n/\n0\nls: /proc/1/root/: Permission denied\n')
  })

  it('lets no step climb out of a root in a root', () => {
    const climb = (path: string): number | null => {
      const calls: readonly ProgramCall[] = [
        { call: 'chroot', args: ['/bin'] },
        ...Array.from({ length: 20 }, () => ({ call: 'chdir', args: ['..'] }) as const),
        { call: 'chroot', args: ['.'] },
        { call: 'openat', args: [AT_FDCWD, path, O_PATH, 0] },
        { call: 'exit_group', args: [0] },
      ]
      const program = makeCallProgram(calls, { report: -1 })
      const layer = fixture.layer()
      const bytes = readFileSync(`/proc/self/fd/${program}`)
      writeFileSync(`${layer}/climb`, bytes, { mode: 0o755 })
      closeSync(program)
      return run(fixture.spec(['/climb'], { layer })).code
    }
    // It gets where its own root is, and no further.
    assert.equal(climb('/climb'), 0)
    assert.equal(climb(fixture.directory), 127)
  })

  it('is refused where the program is a process that was there before', () => {
    const { code, text } = run(fixture.spec(['true'], { init: false }))
    assert.equal(code, 1)
    assert.match(text, /refuses pivot_root[\s\S]*SANDBOX_UNAVAILABLE/)
  })
})
