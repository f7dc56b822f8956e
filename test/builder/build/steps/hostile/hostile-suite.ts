import assert from 'node:assert/strict'
import type { BuildOptions } from '#builder'
import { removeTreeSync } from '#disk'
import { processesOf } from '../../../../suites/sandbox/host-processes.ts'
import { putShell, SHELL_BASE } from '../../support/shell-base.ts'
import { Workplace } from '../../support/workplace.ts'

/** How much is asked of the builder. */
export interface HostileScale {
  /** Children that nothing waits for. */
  readonly zombies: number
  /** Bytes of output. */
  readonly flood: string
  /** How often a step that leaves processes behind is run. */
  readonly daemons: number
  /** Milliseconds in which a step ends that is cancelled. */
  readonly latency: number
}

/** A step that does not behave, and how it ends. */
interface Attack {
  readonly does: string
  readonly script: string
  /** Absent: it succeeds. */
  readonly fails?: RegExp
  readonly options?: Partial<BuildOptions>
}

const MARK = `hostile-${process.pid}`

/** A name of 255 bytes. */
const LONG = '$(head -c 255 /dev/zero | tr "\\0" d)'

function attacksOf({ zombies, flood }: HostileScale): readonly Attack[] {
  return [
    { does: 'leaves zombies', script: `for i in $(seq ${zombies}); do (true &); done` },
    { does: 'closes its input and output', script: 'exec <&- >&- 2>&-; true' },
    {
      does: 'opens files until it may not',
      script: 'i=3; while eval "exec $i</dev/null"; do i=$((i+1)); done',
      fails: /exit code: [12]$/,
    },
    {
      does: 'starts processes until it may not',
      script: 'b() { b | b & }; b; sleep 1; false',
      options: { resources: { pids: 50 } },
      fails: /exit code: /,
    },
    { does: 'deletes all files', script: 'rm -rf /* 2>/dev/null; exit 0' },
    { does: 'deletes its shell', script: 'rm /bin/sh /bin/busybox' },
    { does: 'deletes mount points', script: 'rm -rf /proc /sys /dev /etc 2>/dev/null; exit 0' },
    {
      does: 'fills its shared memory',
      script: 'head -c 100m /dev/zero > /dev/shm/file',
      fails: /exit code: 1$/,
      options: { shmSize: 8 << 20 },
    },
    {
      does: 'leaves what is no file',
      script:
        'mkfifo /fifo; mkdir -m 0 /closed; touch /closed/x; nc -l -U /s 2>/dev/null & ln -s / /loop; true',
    },
    {
      does: 'leaves folders deeper than a path may be long',
      script: `name=${LONG}; for i in $(seq 200); do mkdir $name && cd -P $name || exit 1; done`,
    },
    { does: 'floods its output', script: `yes | head -c ${flood}` },
    { does: 'prints a line without an end', script: `head -c ${flood} /dev/zero` },
    {
      does: 'renames its working directory',
      script: 'mkdir /w; cd /w; mv /w /v; rmdir ../v; true',
    },
  ]
}

/** Steps that do what they can against the builder: each ends, and the next build works. */
export function hostileSuite(scale: HostileScale): void {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    await at.build([...SHELL_BASE, 'FROM base', 'RUN true'])
  })
  after(async () => {
    // By the removal that stores use: that of Node fails with paths that are too long.
    removeTreeSync(at.path('store'))
    await at[Symbol.asyncDispose]()
  })

  const build = (script: string, options: Partial<BuildOptions> = {}) => {
    return at.build([...SHELL_BASE, 'FROM base AS last', 'RUN <<END', script, 'END'], {
      noCache: ['last'],
      ...options,
    })
  }

  async function stillWorks(): Promise<void> {
    assert.deepEqual(processesOf(MARK), [])
    const { steps } = await build(`echo ${Math.random()} > /file`)
    assert.ok(steps.total > 0)
  }

  for (const { does, script, fails, options } of attacksOf(scale)) {
    it(`survives a step that ${does}`, async () => {
      const before = process.memoryUsage.rss()
      const built = build(script, options)
      if (fails === undefined) await built
      else await assert.rejects(built, { code: 'STEP_FAILED', message: fails })
      const grown = process.memoryUsage.rss() - before
      assert.ok(grown < 256 << 20, `${grown >> 20} MiB`)
      await stillWorks()
    })
  }

  it('ends a step that ignores signals or stops itself when it is cancelled', async () => {
    for (const script of [
      `trap '' TERM INT HUP QUIT; echo ready; while :; do sleep 0.1; : ${MARK}; done`,
      `echo ready; kill -STOP $$; : ${MARK}`,
    ]) {
      const abort = new AbortController()
      let aborted = 0
      const built = build(script, {
        signal: abort.signal,
        onEvent: ({ type }) => {
          if (type !== 'log') return
          aborted = performance.now()
          abort.abort()
        },
      })
      await assert.rejects(built, { code: 'CANCELLED' })
      const time = performance.now() - aborted
      assert.ok(time < scale.latency, `${Math.round(time)} ms`)
      await stillWorks()
    }
  })

  it('ends what a step has left running before its layer is taken', async () => {
    const script = [
      `(setsid sh -c "trap '' TERM HUP; while :; do sleep 1; echo ${MARK} >> /late; done" >/dev/null 2>&1 &)`,
      `(sh -c "trap '' HUP; sleep 1; echo ${MARK} >> /late" >/dev/null 2>&1 &)`,
      `((sh -c "sleep 1; echo ${MARK} >> /late" &) &)`,
      'true',
    ].join('\n')
    const ids = new Set<string | undefined>()
    for (let round = 0; round < scale.daemons; round += 1) {
      const { imageId } = await build(script, {
        buildArgs: { SOURCE_DATE_EPOCH: '0' },
        tags: [at.at('late:latest')],
        outputs: [{ type: 'registry', rewriteTimestamp: true }],
      })
      assert.deepEqual(processesOf(MARK), [])
      ids.add(imageId)
    }
    assert.equal(ids.size, 1)
    assert.ok([...ids][0])
  })
}
