import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { needsMachineRoot, type OpenSandbox, parseStatus, SandboxFixture } from './fixture.ts'

const DEFAULT_CAPABILITIES = '00000000a80425fb'
const NONE = '0000000000000000'

/** What a process cannot see and do. */
export function isolationSuite(open: OpenSandbox): void {
  describe('isolation', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('has namespaces of its own', async () => {
      for (const kind of ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net']) {
        const own = (await fixture.sh(`readlink /proc/self/ns/${kind}`)).trim()
        assert.match(own, new RegExp(`^${kind}:\\[\\d+\\]$`))
        assert.notEqual(own, readlinkSync(`/proc/self/ns/${kind}`), kind)
      }
      assert.equal(await fixture.sh('hostname', { hostname: 'a-name' }), 'a-name\n')
    })

    it('gives root 14 capabilities and no more', async () => {
      const status = parseStatus(await fixture.sh('cat /proc/self/status'))
      const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => status.get(set))
      const full = DEFAULT_CAPABILITIES
      assert.deepEqual(sets, [NONE, full, full, full, NONE])
      assert.deepEqual([status.get('NoNewPrivs'), status.get('Seccomp')], ['0', '2'])
      assert.equal(status.get('Seccomp_filters') ?? '1', '1')
    })

    it('gives users none, but lets set-uid programs have the 14', async () => {
      const status = parseStatus(await fixture.sh('cat /proc/self/status', { user: '1000' }))
      const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => status.get(set))
      assert.deepEqual(sets, [NONE, NONE, NONE, DEFAULT_CAPABILITIES, NONE])
      assert.deepEqual([status.get('Seccomp'), status.get('Uid')], ['2', '1000\t1000\t1000\t1000'])
      const layer = fixture.layer()
      mkdirSync(`${layer}/opt`)
      writeFileSync(`${layer}/opt/ping`, readFileSync('/bin/busybox'), { mode: 0o755 })
      const ping = { layer, user: '1000', cwd: '/opt' }
      assert.equal((await fixture.run(['./ping', '-c1', '127.0.0.1'], ping)).exitCode, 1)
      chmodSync(`${layer}/opt/ping`, 0o4755)
      assert.equal((await fixture.run(['./ping', '-c1', '127.0.0.1'], ping)).exitCode, 0)
    })

    it('sees only its own processes, and nothing of pid 1', async () => {
      const secret = 'TSBUILD_CANARY_VALUE'
      process.env[secret] = secret
      for (const user of ['', '1000']) {
        const text = await fixture.sh(
          'ls /proc | grep -E "^[0-9]+$" | wc -l; cat /proc/1/cmdline; cat /proc/*/environ /proc/*/cmdline; ls -l /proc/1/fd /proc/1/exe /proc/1/cwd 2>&1; cat /proc/1/maps /proc/1/mem 2>&1; true',
          { user },
        )
        assert.ok(Number(text.split('\n')[0]) < 8, text)
        assert.doesNotMatch(text, new RegExp(secret))
        assert.doesNotMatch(text, /sandbox-test/)
        assert.match(text, /\/proc\/1\/exe: cannot read link: Permission denied/)
        assert.match(text, /\/proc\/1\/fd(\/0|'): .*Permission denied/)
        assert.match(text, /\/proc\/1\/maps': Permission denied/)
        assert.match(text, /\/proc\/1\/mem': Permission denied/)
      }
      delete process.env[secret]
      assert.equal(await fixture.sh('tr "\\0" , < /proc/1/environ 2>/dev/null | wc -c'), '0\n')
    })

    it('has a minimal /dev', async () => {
      const names = (await fixture.sh('cd /dev && ls')).trim().split('\n')
      const core = existsSync('/proc/kcore') ? ['core'] : []
      const others = 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
      assert.deepEqual(names, [...core, ...others.split(' ')])
      assert.equal(await fixture.sh('stat -c %t:%T:%a /dev/null; echo x > /dev/null'), '1:3:666\n')
      assert.equal(await fixture.sh('head -c 3 /dev/zero | wc -c; ls /dev/pts'), '3\nptmx\n')
      assert.equal(await fixture.sh('echo y > /dev/shm/x; cat /dev/shm/x', { user: 'app' }), 'y\n')
      const sizes = await fixture.sh('grep " /dev/shm " /proc/mounts', { shmSize: 8 * 1024 * 1024 })
      assert.match(sizes, /size=8192k/)
    })

    it('opens no device that it makes', async function () {
      needsMachineRoot(this)
      const script =
        'for n in "b 254 0" "b 7 0" "c 1 11" "c 10 200" "c 1 3"; do mknod /d $n && head -c 1 /d 2>&1; rm /d; done'
      const text = await fixture.sh(`${script}; true`)
      assert.equal(text.match(/Operation not permitted/g)?.length, 4, text)
      // null is one of the usual ones, also when it is made again: chroot builders do that.
      assert.equal(text.trim().split('\n').length, 4, text)
    })

    it('masks and protects what belongs to the host', async () => {
      const masked =
        'acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats'
      for (const name of masked.split(' ')) {
        const path = `/proc/${name}`
        if (!existsSync(path)) continue
        assert.equal(
          await fixture.sh(`cat ${path} 2>/dev/null; ls -A ${path}/ 2>/dev/null; true`),
          '',
        )
        const result = await fixture.run(['umount', path])
        assert.match(result.stderr, /Operation not permitted/)
      }
      assert.equal(await fixture.sh('ls -A /sys/firmware'), '')
      const writes = [
        '/proc/sys/kernel/core_pattern',
        '/proc/sys/kernel/domainname',
        '/proc/sysrq-trigger',
        '/proc/irq/default_smp_affinity',
        '/sys/power/state',
        '/sys/kernel/uevent_helper',
        '/etc/hosts',
        '/etc/resolv.conf',
      ]
      for (const path of writes) {
        if (!existsSync(path)) continue
        const { stderr } = await fixture.run(['sh', '-c', `echo x > ${path}`])
        assert.match(stderr, /Read-only file system|Permission denied|nonexistent directory/, path)
      }
    })

    it('cannot mount, unmount, or make namespaces', async () => {
      for (const command of [
        'mount -t tmpfs none /tmp',
        'mount -t proc none /proc',
        'mount -o remount,rw /sys',
        'mount -o bind / /mnt',
        'umount /proc',
        'umount -l /',
        'unshare -m true',
        'unshare -U true',
        'hostname other',
      ]) {
        const { exitCode, stderr } = await fixture.run(['sh', '-c', `mkdir /tmp /mnt; ${command}`])
        assert.notEqual(exitCode, 0, command)
        assert.match(stderr, /Operation not permitted|not permitted|permission denied/i, command)
      }
    })

    it('shows the same status as runc with the same settings', async () => {
      const keys = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Groups', 'Uid']
      const pick = (text: string): readonly (string | undefined)[] => {
        const status = parseStatus(text)
        return keys.map((key) => status.get(key))
      }
      for (const uid of [0, 1000]) {
        const user = `${uid}:${uid}`
        const ours = await fixture.sh('cat /proc/self/status', { user })
        assert.deepEqual(pick(ours), pick(runcStatus(fixture, uid)))
      }
    })
  })
}

function runcStatus(fixture: SandboxFixture, uid: number): string {
  const bundle = fixture.layer()
  const spec = spawnSync('runc', ['spec'], { cwd: bundle })
  assert.equal(spec.status, 0, 'these tests need the package runc')
  const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8'))
  const names =
    'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
  const all = names.split(' ').map((name) => `CAP_${name}`)
  config.process.capabilities = { bounding: all, effective: all, permitted: all }
  config.process.noNewPrivileges = false
  config.process.terminal = false
  config.process.user = { uid, gid: uid, additionalGids: [uid] }
  config.process.args = ['/bin/cat', '/proc/self/status']
  config.root = { path: fixture.image, readonly: false }
  writeFileSync(`${bundle}/config.json`, JSON.stringify(config))
  const id = `tsbuild-test-${process.pid}-${uid}`
  const run = spawnSync('runc', ['--root', `${bundle}/state`, 'run', id], { cwd: bundle })
  assert.equal(run.status, 0, run.stderr.toString())
  return run.stdout.toString()
}
