import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { isUserNamespace } from '#builder/linux'
import type { ContainerSettings, RunningProcess } from '#builder/sandbox'
import { type Mount, TsbuildError } from '#core'
import { until } from '../../support/peers/index.ts'
import { endOf, needsMachineRoot, type OpenSandbox } from '../sandbox/fixture.ts'
import { processesOf } from '../sandbox/host-processes.ts'
import { type ContainerFixture, execIn, openContainers } from './fixture.ts'

/** What the handle of a container does. */
export function handleSuite(open: OpenSandbox): void {
  describe('the handle', () => {
    let fixture: ContainerFixture
    before(() => {
      fixture = openContainers(open)
    })
    after(() => fixture.close())

    it('names the program, which is pid 1 inside', async () => {
      await using process = await fixture.start()
      assert.equal(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8').split('\0')[0], 'sh')
      assert.match(readFileSync(`/proc/${process.pid}/status`, 'utf8'), /^NSpid:.*\t1$/m)
      assert.equal(await execIn(process, 'cat /proc/1/comm'), 'sh\n')
    })

    it('lists all processes, those that were started beside, too', async () => {
      await using process = await fixture.start(
        {},
        { script: 'sleep 1000 & echo ready; cat; true' },
      )
      await using other = await process.exec({
        ...{ args: ['sleep', '77'], env: ['PATH=/bin'], cwd: '/', user: '' },
      })
      const script = 'sh -c sleep 1000 & echo ready; cat; true'
      const expected = ['cat', script, 'sleep 1000', 'sleep 77']
      // A shell starts others after it has written.
      await until(() => expected.every((command) => commandsOf(process).includes(command)))
      assert.equal(process.processes()[0], process.pid)
      assert.deepEqual(commandsOf(process).toSorted(), expected.toSorted())
      await other[Symbol.asyncDispose]()
    })

    it('shows the root with all mounts, also of a container that is not started', async () => {
      const source = fixture.layer()
      const mounts = [{ type: 'bind', target: '/volume', source, readonly: false }] as const
      const spec = fixture.spec(
        ['sh', '-c', 'echo inside > /file; echo below > /volume/file; echo ready; cat'],
        {
          ...{ init: false, container: {}, mounts },
        },
      )
      const read = (descriptor: number, path: string): string =>
        readFileSync(`/proc/self/fd/${descriptor}/${path}`, 'utf8')
      {
        await using process = await fixture.sandbox.start(spec, { stdin: 'pipe' })
        await once(process.stdout, 'data')
        await using root = process.openRoot()
        assert.equal(read(root.descriptor, 'file'), 'inside\n')
        assert.equal(read(root.descriptor, 'volume/file'), 'below\n')
        assert.ok(readdirSync(`/proc/self/fd/${root.descriptor}/proc`).includes('1'))
      }
      await using root = await fixture.sandbox.openRoot(spec.mounts)
      assert.equal(read(root.descriptor, 'file'), 'inside\n')
      assert.equal(read(root.descriptor, 'volume/file'), 'below\n')
      assert.ok(existsSync(`/proc/self/fd/${root.descriptor}/bin/busybox`))
      assert.deepEqual(readdirSync(`${fixture.directory}/temporary/scaffold`), [])
    })

    it('pauses and resumes, and starts nothing meanwhile', async function () {
      needsMachineRoot(this)
      const script = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done'
      await using process = await fixture.start({}, { script })
      let seen = 0
      process.stdout.on('data', (data: Uint8Array) => {
        seen += data.length
      })
      await process.pause()
      await process.pause()
      await delay(50)
      const paused = seen
      await delay(200)
      assert.equal(seen, paused)
      assert.match(
        readFileSync(`/proc/${process.pid}/wchan`, 'utf8'),
        /refrigerator|freez|get_signal|^0$/,
      )
      await assert.rejects(execIn(process, 'true'), { code: 'CONFLICT' })
      await process.resume()
      await process.resume()
      await until(() => seen > paused)
      assert.equal(await execIn(process, 'echo again'), 'again\n')
    })

    it('ends what is paused', async function () {
      needsMachineRoot(this)
      const marker = `paused-${fixture.directory}`
      for (const init of [true, false]) {
        const script = `echo ready; sleep 1000; : ${marker}`
        const process = await fixture.start({}, { script, init })
        await process.pause()
        await process[Symbol.asyncDispose]()
        assert.deepEqual(endOf(await process.wait()), { exitCode: 137, signal: 'SIGKILL' })
        assert.deepEqual(processesOf(marker), [])
      }
    })

    it('says what it uses', async function () {
      needsMachineRoot(this)
      const script =
        'dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; echo ready; cat; true'
      await using process = await fixture.start(
        {},
        { script, resources: { memory: 64 << 20, pids: 7 } },
      )
      await until(() => process.processes().length === 2)
      const { cpu, memory, pids, io } = process.usage()
      assert.ok(cpu !== undefined && cpu.total > 0 && cpu.total < 60e9)
      assert.ok(memory !== undefined && memory.usage > 20 << 20 && memory.usage < 64 << 20)
      assert.equal(memory.limit, 64 << 20)
      assert.ok(Object.keys(memory.stats).length > 10)
      assert.deepEqual(pids, { current: 2, limit: 7 })
      assert.ok(io !== undefined)
    })

    it('changes limits while it runs', async function () {
      needsMachineRoot(this)
      await using process = await fixture.start({}, { resources: { memory: 64 << 20 } })
      process.update({ memory: 32 << 20, memorySwap: 32 << 20, pids: 5, cpuQuota: 20_000 })
      assert.equal(process.usage().memory?.limit, 32 << 20)
      assert.equal(process.usage().pids?.limit, 5)
      process.update({ memory: 128 << 20, memorySwap: 128 << 20, pids: -1 })
      assert.equal(process.usage().memory?.limit, 128 << 20)
      assert.equal(process.usage().pids?.limit, undefined)
      assert.throws(() => process.update({ cpusetCpus: '4000' }), /cpuset/)
    })

    it('says when a limit of memory has ended it', async function () {
      needsMachineRoot(this)
      const resources = { memory: 24 << 20, memorySwap: 24 << 20, memoryReservation: 16 << 20 }
      const script = 'echo ready; x=0123456789abcdef; while :; do x=$x$x; done'
      await using process = await fixture.start({}, { script, resources })
      const ended = { exitCode: 137, signal: 'SIGKILL', reached: 'memory' }
      assert.deepEqual(endOf(await process.wait()), ended)
      await using other = await fixture.start({}, { script: 'echo ready; exit 3', resources })
      assert.deepEqual(endOf(await other.wait()), { exitCode: 3 })
    })

    // Where nothing is delegated to an ordinary user.
    if (isUserNamespace()) {
      it('says of what it cannot do without control groups', async () => {
        await using process = await fixture.start()
        assert.deepEqual(process.usage(), {})
        await assert.rejects(process.pause(), { code: 'UNSUPPORTED' })
        assert.throws(() => process.update({ pids: 3 }), { code: 'UNSUPPORTED' })
      })
    }

    it('passes signals of pid 1 on to the program, where that is an init', async () => {
      const traps = ['TERM', 'HUP', 'USR1', 'INT'].map((name) => `trap "echo ${name}" ${name}`)
      const script = `${traps.join('; ')}; echo ready; while :; do sleep 0.02; done`
      for (const user of ['', 'app']) {
        await using process = await fixture.start({}, { script, init: true, user })
        const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]()
        assert.equal(await execIn(process, 'cat /proc/1/comm'), 'init\n')
        for (const name of ['TERM', 'USR1', 'HUP', 'TERM', 'INT']) {
          await execIn(process, `kill -${name} 1`)
          assert.deepEqual(await lines.next(), { done: false, value: name })
        }
        // Orphans come and go meanwhile, and are released.
        await execIn(process, 'for i in 1 2 3; do (sleep 0.01 &); done')
        await until(() => process.processes().length <= 3)
        process.signal('SIGKILL')
        assert.deepEqual(endOf(await process.wait()), { exitCode: 137, signal: 'SIGKILL' })
      }
    })

    it('leaves nothing behind where it is refused', async () => {
      const source = fixture.layer()
      const bind = (more: object): Mount => {
        return { type: 'bind', target: '/v', source, readonly: false, ...more } as Mount
      }
      await using other = await fixture.start()
      const namespaces = { ipc: other, pid: other }
      const refused: readonly (readonly [ContainerSettings, Mount | undefined])[] = [
        [{ capabilities: ['CAP_X'] }, undefined],
        [{ seccomp: { profile: {} }, namespaces }, bind({})],
        [{ sysctls: { 'kernel.panic': '1' } }, undefined],
        [{ labels: ['no:such:option'] }, undefined],
        [{ groups: ['missing'], namespaces }, undefined],
        [{ devices: [{ source: '/dev/x', target: '/dev/x', permissions: 'r' }] }, undefined],
        [{ namespaces }, bind({ source: '/missing' })],
        [{ namespaces }, bind({ target: '/etc/passwd' })],
      ]
      const round = async (): Promise<void> => {
        for (const [container, mount] of refused) {
          const mounts = mount === undefined ? [] : [mount]
          await assert.rejects(fixture.start(container, { mounts }), TsbuildError)
        }
      }
      await round()
      const before = [readdirSync('/proc/self/fd').length, childrenOf().length]
      await round()
      await round()
      assert.deepEqual([readdirSync('/proc/self/fd').length, childrenOf().length], before)
      assert.equal(await execIn(other, 'echo alive'), 'alive\n')
    })

    it('ends with its program', async () => {
      const process = await fixture.start({}, { script: 'echo ready' })
      await process.wait()
      assert.throws(() => process.openRoot(), { code: 'STEP_FAILED' })
      assert.throws(() => process.openNamespace('net'), { code: 'STEP_FAILED' })
      assert.deepEqual([process.usage(), process.processes()], [{}, []])
    })
  })
}

/** Processes that any thread of this one has started. */
function childrenOf(): readonly string[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    return readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean)
  })
}

/** The command lines of all its processes. */
function commandsOf(process: RunningProcess): readonly string[] {
  return process
    .processes()
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
}
