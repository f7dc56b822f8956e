import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { run } from '../../../test/support/peers/index.ts'
import { root } from '../persons.ts'
import { Steps } from '../steps.ts'
import { POLICY } from './policy.ts'

const KERNEL = '/sys/fs/selinux'
const CONTEXTS = '/etc/selinux/small/contexts'

const LABELS = `process = "system_u:system_r:container_t:s0"
file = "system_u:object_r:container_file_t:s0"
ro_file = "system_u:object_r:container_ro_file_t:s0"
`

/** Of a process, without the NUL that the kernel adds. */
const LABEL = `tr -d '\\0' < /proc/self/attr/current; echo`

const IS_LABEL = /^system_u:system_r:container_t:s0:c\d+,c\d+$/

describe('labels of SELinux, in a policy that enforces them', () => {
  let steps: Steps
  before(async () => {
    steps = await Steps.of(root())
    if (!existsSync(`${KERNEL}/load`)) await run('mount', ['-t', 'selinuxfs', 'selinux', KERNEL])
    writeFileSync(`${KERNEL}/load`, readFileSync(POLICY))
    mkdirSync(CONTEXTS, { recursive: true })
    writeFileSync('/etc/selinux/config', 'SELINUX=enforcing\nSELINUXTYPE=small\n')
    writeFileSync(`${KERNEL}/enforce`, '1')
  })
  beforeEach(() => writeFileSync(`${CONTEXTS}/lxc_contexts`, LABELS))
  after(async () => {
    writeFileSync(`${KERNEL}/enforce`, '0')
    await steps[Symbol.asyncDispose]()
  })

  it('are those of containers, with categories of the store', async () => {
    const script = `${LABEL}; echo a > /a; cat /a /etc/hosts > /dev/null; ls /dev/pts /dev/shm /sys > /dev/null; echo x > /dev/shm/x; rm -r /bin/ls`
    const lines = [await steps.linesOf(script), await steps.linesOf(script)].flat()
    assert.equal(lines.length, 2, lines.join('\n'))
    for (const line of lines) assert.match(line, IS_LABEL)
    assert.equal(lines[0], lines[1])
  })

  it('leave what a step mounts to it, from one build to the next', async () => {
    writeFileSync(steps.file('secret'), 'very secret')
    // Otherwise caches begin anew as well.
    const flags = ['--secret', `id=s,src=${steps.file('secret')}`, '--no-cache=false']
    const mounts = [
      '--mount=type=cache,target=/cache',
      '--mount=type=secret,id=s',
      '--mount=type=tmpfs,target=/t',
      '--mount=type=bind,target=/context',
      '--mount=type=bind,from=busybox,target=/other,rw',
    ].join(' ')
    const script = `touch /t/x /other/x; cat /run/secrets/s; echo; cat /context/Dockerfile > /dev/null; echo line >> /cache/log; wc -l < /cache/log`
    for (const count of ['1', '2']) {
      const lines = await steps.linesOf(`${script}; : ${count}`, flags, mounts)
      assert.deepEqual(lines, ['very secret', count])
    }
  })

  it('are on files that were copied, too', async () => {
    const flags = ['--snapshotter=copies']
    const [line = ''] = await steps.linesOf(`${LABEL}; echo a > /a; cat /a > /dev/null`, flags)
    assert.match(line, IS_LABEL)
  })

  it('are in no layer', async () => {
    const file = steps.file('image.tar')
    await steps.linesOf('echo a > /a; mkdir /d', ['--output', `type=oci,dest=${file}`])
    const { stdout } = await run('tar', ['-xOf', file])
    assert.ok(stdout.length > 1000)
    assert.doesNotMatch(stdout, /selinux|container_file_t/)
  })

  it('are given by a runtime as well', async () => {
    const [line = ''] = await steps.linesOf(LABEL, ['--runtime', 'runc'])
    assert.match(line, IS_LABEL)
  })

  it('are not those of steps with all rights', async () => {
    const flags = ['--allow', 'security.insecure']
    const [line] = await steps.linesOf(LABEL, flags, '--security=insecure')
    assert.equal(line, 'system_u:system_r:kernel_t:s0-s0:c0.c1023')
  })

  it('are missing with a warning where the policy has none, and steps run', async () => {
    rmSync(`${CONTEXTS}/lxc_contexts`)
    const { status, stderr } = await steps.run(LABEL)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /not confined by SELinux: its policy names no labels of containers/)
    assert.match(stderr, /kernel_t/)
    writeFileSync(`${CONTEXTS}/lxc_contexts`, LABELS.replace('container_t', 'host_file_t'))
    const refused = await steps.run(LABEL)
    assert.equal(refused.status, 0, refused.stderr)
    assert.match(refused.stderr, /its policy refuses system_u:system_r:host_file_t:\S+ \w+ of a/)
  })
})
