import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type OpenSandbox, SandboxFixture } from './fixture.ts'
import { processesOf } from './host-processes.ts'

/** How steps begin, how they end, and what their output does meanwhile. */
export function lifetimeSuite(open: OpenSandbox): void {
  describe('beginning and end', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    it('ends every process that outlives the step', async () => {
      // Of this run only: the suite also runs for other sandboxes at the same time.
      const marker = `outlives-${fixture.directory}`
      const daemons = [
        `(setsid sh -c 'trap "" TERM HUP; while :; do sleep 0.01; echo x >> /begun; done' ${marker} > /dev/null 2>&1 &)`,
        `(sh -c "echo x > /begun; sleep 1000; : ${marker}" &) `,
        `sh -c "trap '' HUP; echo x > /begun; sleep 1000; : ${marker}" > /dev/null 2>&1 &`,
        `sh -c "sleep 1000; : ${marker}" & sh -c "echo x > /begun; kill -STOP \\$\\$" ${marker} &`,
      ]
      for (const daemon of daemons) {
        const script = `${daemon}\nwhile [ ! -s /begun ]; do sleep 0.01; done`
        const { upper } = await fixture.run(['sh', '-c', script])
        const { size } = statSync(`${upper}/begun`)
        assert.deepEqual(processesOf(marker), [])
        await delay(30)
        assert.equal(statSync(`${upper}/begun`).size, size)
      }
    })

    it('releases orphans that end during the step', async () => {
      // Those that are not released are in /proc for ever.
      const script = `count() { set -- /proc/[0-9]*; echo $#; }
        before=$(count)
        i=0; while [ $i -lt 50 ]; do (sh -c "exit 3" &); i=$((i+1)); done
        i=0; while [ $(count) -gt $before ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i+1)); done
        echo $(($(count) - before))`
      assert.equal(await fixture.sh(script), '0\n')
    })

    it('waits for no output that a surviving process holds open', async () => {
      const started = performance.now()
      const { stdout } = await fixture.run(['sh', '-c', 'sleep 1000 & echo done'])
      assert.equal(stdout, 'done\n')
      assert.ok(performance.now() - started < 20_000)
    })

    it('stops at once when it is aborted', async () => {
      const abort = new AbortController()
      let aborted = 0
      const run = fixture.run(
        ['sh', '-c', 'trap "" TERM INT; echo go; while :; do sleep 100; done'],
        {
          signal: abort.signal,
          onOutput: () => {
            aborted = performance.now()
            abort.abort()
          },
        },
      )
      await assert.rejects(run, { code: 'CANCELLED' })
      const latency = performance.now() - aborted
      assert.ok(latency < 1000, `${latency} ms`)
    })

    it('does not start when it was aborted before, or while it prepares', async () => {
      const signal = AbortSignal.abort()
      await assert.rejects(fixture.run(['true'], { signal }), { code: 'CANCELLED' })
      for (let wait = 0; wait < 12; wait += 2) {
        const abort = new AbortController()
        setTimeout(() => abort.abort(), wait)
        await fixture.run(['sleep', '1000'], { signal: abort.signal }).then(
          () => assert.fail('it was not aborted'),
          (cause) => assert.equal(cause.code, 'CANCELLED'),
        )
      }
      assert.equal((await fixture.run(['true'])).exitCode, 0)
    })

    it('streams a flood of output in bounded memory', async () => {
      let seen = 0
      let _first = 0
      const before = process.memoryUsage().rss
      let peak = 0
      const started = performance.now()
      await fixture.run(['dd', 'if=/dev/zero', 'bs=1M', 'count=500'], {
        onOutput: (stream, data) => {
          if (stream === 'stdout') seen += data.length
          _first ||= performance.now() - started
          peak = Math.max(peak, process.memoryUsage.rss())
        },
      })
      assert.equal(seen, 500 * 1024 * 1024)
      assert.ok(peak - before < 160 * 1024 * 1024, `${(peak - before) / 2 ** 20} MiB`)
    }).timeout(120_000)

    it('makes a step wait for a slow reader', async () => {
      let seen = 0
      const result = await fixture.run(
        ['sh', '-c', 'dd if=/dev/zero bs=64k count=40 2>/dev/null; echo end >&2'],
        {
          onOutput: (stream, data) => {
            if (stream === 'stdout') seen += data.length
            const until = performance.now() + 2
            while (performance.now() < until);
          },
        },
      )
      assert.deepEqual([result.exitCode, seen], [0, 40 * 65_536])
    })

    it('ends the step when its output cannot be taken', async () => {
      const run = fixture.run(['sh', '-c', 'echo x; sleep 1000'], {
        onOutput: () => {
          throw new RangeError('full')
        },
      })
      await assert.rejects(run, RangeError)
    })

    it('runs steps at the same time', async () => {
      const wait = 'echo $0 > /c/$0; while [ ! -e /c/$1 ]; do sleep 0.01; done'
      const mounts = [
        { type: 'bind', target: '/c', source: fixture.layer(), readonly: false },
      ] as const
      const both = [
        fixture.run(['sh', '-c', wait, 'a', 'b'], { mounts }),
        fixture.run(['sh', '-c', wait, 'b', 'a'], { mounts }),
      ]
      assert.deepEqual(
        (await Promise.all(both)).map((result) => result.exitCode),
        [0, 0],
      )
    })

    it('ends running steps when it is closed', async () => {
      const other = new SandboxFixture(open)
      const running = other.run(['sleep', '1000'])
      running.catch(() => {})
      await other.run(['true'])
      await other.close()
      await assert.rejects(running, { code: 'CANCELLED' })
    })

    it('writes no core file', async () => {
      const result = await fixture.run(['sh', '-c', 'ulimit -c unlimited; kill -SEGV $$'])
      assert.deepEqual([result.exitCode, result.signal], [139, 'SIGSEGV'])
      assert.deepEqual(readdirSync(result.upper), [])
    })
  })
}
