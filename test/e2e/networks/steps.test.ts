import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { at, type Lab, startLab, WORLD } from '../../support/networks/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, startTsbuild } from '../support/tsbuild.ts'

const [, PORT = ''] = /:(\d+)$/.exec(at(WORLD.version4)) ?? []

describe('networks of steps, and the death of the builder', () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
    await lab.greet('world')
  })
  after(() => lab?.[Symbol.asyncDispose]())

  const onHost = (script: string): Promise<string> => lab.must('host', ['sh', '-c', script])

  it('leaves the host closed, and nothing at all when the next one has ended', async () => {
    const prefix = ['nsenter', `--net=${lab.path('host')}`]
    const start = { root: lab.directory.file('store'), prefix }
    const log = lab.directory.file('log')
    const context = lab.directory.file('context')
    writeContext(context, {
      Dockerfile: [
        'FROM scratch',
        'COPY --chmod=755 busybox /bin/busybox',
        'COPY --chmod=755 busybox /bin/sh',
        `RUN busybox sleep 0.5 | busybox nc ${WORLD.version4} ${PORT}`,
        'ARG wait=no',
        'RUN if [ $wait = yes ]; then busybox echo waiting; busybox sleep 3271; fi',
      ].join('\n'),
      busybox: readFileSync('/bin/busybox'),
    })
    const flags = ['--progress', 'plain', '-t', 'x', context]
    const child = startTsbuild(['--build-arg', 'wait=yes', ...flags], start, log)
    const ended = once(child, 'exit')
    while (!/^#\d+ [\d.]+ waiting$/m.test(readFileSync(log, 'utf8'))) {
      assert.equal(child.exitCode, null, readFileSync(log, 'utf8'))
      await delay(50)
    }
    assert.match(readFileSync(log, 'utf8'), /^#\d+ [\d.]+ world$/m)
    assert.match(await onHost('ip link; nft list ruleset'), /tsbuild0.*table inet tsbuild0/s)
    child.kill('SIGKILL')
    await ended
    const end = Date.now() + 1000
    while (/tsbuild0/.test(await onHost('ip link; nft list ruleset'))) {
      assert.ok(Date.now() < end, 'links or rules are left')
      await delay(50)
    }
    assert.equal(await onHost("grep -l '^busybox.sleep.3271' /proc/*/cmdline || true"), '')
    // What still forwards is guarded.
    assert.match(await onHost('nft list table inet tsbuild'), /iifname "eth0" drop/)
    const { stdout, stderr } = await mustBuild(flags, start)
    assert.match(`${stdout}${stderr}`, /^#\d+ CACHED$/m)
    const left = 'nft list ruleset; cat /proc/sys/net/ipv4/conf/eth0/forwarding'
    assert.equal(await onHost(left), '0\n')
  })
})
