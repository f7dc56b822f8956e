import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { noticesOf } from '../../../../builder/sandbox/host/notices.ts'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

describe('notices of a sandbox', () => {
  it('say what no_new_privs does to steps', () => {
    assert.deepEqual(noticesOf(new Map([['NoNewPrivs', '0']])), [])
    const [notice] = noticesOf(new Map([['NoNewPrivs', '1']]))
    assert.match(notice?.message ?? '', /no_new_privs is set/)
    assert.match(notice?.hint ?? '', /allowPrivilegeEscalation/)
  })

  describe('of steps that run all the same', () => {
    let fixture: SandboxFixture
    before(function () {
      if (process.getuid?.() !== 0) this.skip()
      fixture = inProcessFixture()
    })
    after(() => fixture?.close())

    const run = (script: string, refused: readonly string[], ...prefix: readonly string[]) => {
      const temporary = `${fixture.directory}/temporary`
      const specs = [fixture.spec(['sh', '-c', script])]
      const document = JSON.stringify({ temporary, specs, notices: true, refused })
      const [program = '', ...args] = [...prefix, process.execPath, BUILDER, document]
      return spawnSync(program, args, { encoding: 'utf8' })
    }

    it('tell of no_new_privs', () => {
      const { stdout, stderr } = run('echo ran', [], 'setpriv', '--no-new-privs', '--')
      assert.equal(stdout, 'ran\n', stderr)
      assert.match(stderr, /notice: set-uid programs in steps .* get no rights/)
    })

    it('tell of the loopback that takes a right', () => {
      const without = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-all', '--']
      const { stdout, stderr } = run('ifconfig; echo ran', [], ...without)
      assert.equal(stdout, 'ran\n', stderr)
      assert.match(stderr, /notice: steps without a network have no loopback interface either/)
    })

    it('tell of the host name that a filter refuses', () => {
      const { stdout, stderr } = run('hostname; cat /etc/hostname', ['sethostname'])
      assert.equal(stdout, `${hostname()}\nbuildkitsandbox\n`, stderr)
      assert.match(stderr, /notice: steps have the host name of this container/)
    })
  })
})
