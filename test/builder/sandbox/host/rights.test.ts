import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { noticesOf } from '../../../../builder/sandbox/host/notices.ts'
import { type ProcessStatus, remedyFor } from '../../../../builder/sandbox/host/rights.ts'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

describe('sandbox: rights of the builder', () => {
  const status = (lines: Readonly<Record<string, string>>): ProcessStatus =>
    new Map(Object.entries({ CapEff: '000001ffffffffff', Seccomp: '0', ...lines }))

  it('says which capabilities are missing where something is not permitted', () => {
    const docker = status({ CapEff: '00000000a80425fb' })
    assert.match(remedyFor('EPERM', docker) ?? '', /lacks the capabilities NET_ADMIN, SYS_ADMIN: /)
    assert.match(remedyFor('EPERM', status({ CapEff: '000001ffffdfffff' })) ?? '', /y SYS_ADMIN: /)
    assert.match(remedyFor('EPERM', status({ Seccomp: '2' })) ?? '', /filter of system calls/)
    assert.equal(remedyFor('EPERM', status({})), undefined)
    assert.equal(remedyFor('ENOSPC', docker), undefined)
  })

  it('says what no_new_privs does to steps', () => {
    assert.deepEqual(noticesOf(status({ NoNewPrivs: '0' })), [])
    const [notice] = noticesOf(status({ NoNewPrivs: '1' }))
    assert.match(notice?.message ?? '', /no_new_privs is set/)
    assert.match(notice?.hint ?? '', /allowPrivilegeEscalation/)
  })

  describe('of a process that lacks some', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = inProcessFixture()
    })
    after(() => fixture.close())

    const run = (...prefix: readonly string[]): { code: number | null; text: string } => {
      const spec = fixture.spec(['sh', '-c', 'echo ran'])
      const temporary = `${fixture.directory}/temporary`
      const document = JSON.stringify({ temporary, specs: [spec] })
      const [program = '', ...args] = [...prefix, process.execPath, BUILDER, document]
      const ran = spawnSync(program, args, { encoding: 'utf8' })
      return { code: ran.status, text: ran.stdout + ran.stderr }
    }

    it('names what is missing in the error', () => {
      const { code, text } = run('setpriv', '--bounding-set=-sys_admin', '--')
      assert.equal(code, 1)
      assert.match(text, /SANDBOX_UNAVAILABLE/)
      assert.match(text, /lacks the capability SYS_ADMIN/)
    })

    it('runs steps under no_new_privs', () => {
      assert.deepEqual(run('setpriv', '--no-new-privs', '--'), { code: 0, text: 'ran\n' })
    })
  })
})
