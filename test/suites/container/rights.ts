import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { needsMachineRoot, type OpenSandbox, parseStatus } from '../sandbox/fixture.ts'
import { type ContainerFixture, execIn, openContainers } from './fixture.ts'

const SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']
const NONE = '0000000000000000'

/** What programs of containers may do. */
export function rightsSuite(open: OpenSandbox): void {
  describe('rights', () => {
    let fixture: ContainerFixture
    before(() => {
      fixture = openContainers(open)
    })
    after(() => fixture.close())

    const STATUS = 'cat /proc/self/status'
    const setsOf = (text: string): readonly (string | undefined)[] => {
      const status = parseStatus(text)
      return SETS.map((set) => status.get(set))
    }

    it('are those of a step where nothing is asked for', async () => {
      const full = '00000000a80425fb'
      const status = await fixture.output(STATUS)
      assert.deepEqual(setsOf(status), [NONE, full, full, full, NONE])
      assert.equal(parseStatus(status).get('Seccomp'), '2')
    })

    it('are the capabilities that are asked for, for all programs', async () => {
      const container = { capabilities: ['CAP_CHOWN', 'CAP_NET_ADMIN'] }
      const own = '0000000000001001'
      await using process = await fixture.start(container)
      assert.deepEqual(setsOf(await execIn(process, STATUS)), [NONE, own, own, own, NONE])
      const asUser = await execIn(process, STATUS, { user: '1000' })
      assert.deepEqual(setsOf(asUser), [NONE, NONE, NONE, own, NONE])
      assert.deepEqual(
        setsOf(await fixture.output(STATUS, { capabilities: [] })),
        Array(5).fill(NONE),
      )
      await assert.rejects(fixture.start({ capabilities: ['CAP_NONSENSE'] }), { code: 'USAGE' })
    })

    it('let the filter pass what a capability is for', async () => {
      const script = 'mkdir /m; mount -t tmpfs none /m && grep -c " /m " /proc/mounts'
      const names = ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE']
      assert.equal(await fixture.output(script, { capabilities: names }), '1\n')
      assert.match(
        await fixture.output(script, { capabilities: ['CAP_CHOWN'] }),
        /ermission|ermitted/,
      )
      assert.match(await fixture.output(script), /ermission|ermitted/)
    })

    it('are not raised by set-uid programs where that is asked for', async () => {
      const script = 'cp /bin/busybox /ping; chmod 4755 /ping; echo ready; cat > /dev/null'
      for (const noNewPrivileges of [true, false]) {
        await using process = await fixture.start({ noNewPrivileges }, { script })
        const ping = '/ping -c 1 127.0.0.1 > /dev/null && echo raised'
        const raised = await execIn(process, ping, { user: '1000' })
        assert.equal(raised === 'raised\n', !noNewPrivileges, raised)
        const status = parseStatus(await execIn(process, STATUS, { user: '1000' }))
        assert.equal(status.get('NoNewPrivs'), noNewPrivileges ? '1' : '0')
        assert.equal(status.get('Seccomp'), '2')
      }
    })

    it('of a privileged container are all, beside it as far as that is asked for', async function () {
      needsMachineRoot(this)
      const all = parseStatus(readFileSync('/proc/self/status', 'utf8')).get('CapEff')
      await using process = await fixture.start({ privileged: true })
      const status = parseStatus(await execIn(process, STATUS))
      assert.deepEqual([status.get('CapEff'), status.get('Seccomp')], [all, '0'])
      await using usual = await fixture.start({ capabilities: ['CAP_CHOWN'] })
      const beside = await execIn(usual, STATUS, { privileged: true })
      assert.deepEqual(
        [parseStatus(beside).get('CapEff'), parseStatus(beside).get('Seccomp')],
        [all, '2'],
      )
    })

    it('are filtered by the profile that is asked for', async () => {
      const profile = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
      }
      const script = 'mkdir /d; echo $?'
      for (const noNewPrivileges of [false, true]) {
        const said = await fixture.output(script, { seccomp: { profile }, noNewPrivileges })
        assert.match(said, /^1\n.*Function not implemented/)
      }
      assert.equal(await fixture.output(script), '0\n')
      const open = await fixture.output(STATUS, { seccomp: 'unconfined' })
      assert.equal(parseStatus(open).get('Seccomp'), '0')
      await assert.rejects(fixture.start({ seccomp: { profile: 'text' } }), { code: 'USAGE' })
    })

    it('come with groups, by name and number', async () => {
      const container = { groups: ['more', '77'] }
      assert.equal(await fixture.output('id -G', container, { user: '5:6' }), '6 77 2001\n')
      await using process = await fixture.start(container)
      assert.equal(await execIn(process, 'id -G', { user: '5', groups: ['team'] }), '0 1001\n')
      await assert.rejects(fixture.start({ groups: ['nobody-knows'] }), { code: 'STEP_FAILED' })
    })

    it('come with a score for when memory is short', async () => {
      await using process = await fixture.start({ oomScoreAdj: 500 })
      assert.equal(
        await execIn(process, 'cat /proc/self/oom_score_adj /proc/1/oom_score_adj'),
        '500\n500\n',
      )
    })

    it('come with no lower score than who starts them may give', async () => {
      const own = readFileSync('/proc/self/oom_score_adj', 'latin1')
      const rights = BigInt(
        `0x${parseStatus(readFileSync('/proc/self/status', 'utf8')).get('CapEff')}`,
      )
      const mayLower = !isUserNamespace() && ((rights >> 24n) & 1n) === 1n
      const shown = fixture.output('cat /proc/self/oom_score_adj', { oomScoreAdj: -999 })
      assert.equal(await shown, mayLower ? '-999\n' : own)
    })
  })
}
