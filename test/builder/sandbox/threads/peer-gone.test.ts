import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { TaskThread } from '#builder/threads'
import type { ProcessSpec } from '../../../../builder/sandbox/spec/process-spec.ts'
import { RunningStep } from '../../../../builder/sandbox/threads/running-step.ts'
import { ownStarter } from '../../../../builder/sandbox/threads/step-starter.ts'
import type * as stepTasks from '../../../../builder/sandbox/threads/step-tasks.ts'
import {
  closeWorkers,
  type StepWorkers,
  startWorkers,
} from '../../../../builder/sandbox/threads/step-workers.ts'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'

const options = { doing: 'work', script: new URL('../support/exiting-worker.js', import.meta.url) }

describe('a thread of the sandbox that ends too early', () => {
  let fixture: SandboxFixture
  let temporary: string
  let workers: StepWorkers
  before(async () => {
    fixture = inProcessFixture()
    temporary = mkdtempSync('/tmp/tsbuild-exiting-test-')
    workers = await startWorkers(
      { temporary, shown: { store: temporary, folders: [] } },
      () => undefined,
    )
  })
  after(async () => {
    await closeWorkers(workers)
    await fixture.close()
    rmSync(temporary, { recursive: true })
  })

  const start = (spec: ProcessSpec, changed: Partial<StepWorkers>): RunningStep => {
    const used = { ...workers, ...changed }
    return new RunningStep(
      spec,
      {},
      {
        ...{ workers: used, starter: ownStarter(used), network: 'none', required: [] },
        onNotice: () => undefined,
      },
    )
  }

  it('fails the step that it prepares and starts as PEER_GONE', async () => {
    const thread = new TaskThread<typeof stepTasks>(options)
    const step = start(fixture.spec(['true']), { thread })
    await assert.rejects(step.started(), { code: 'PEER_GONE' })
    await assert.rejects(step.end, { code: 'PEER_GONE' })
  })

  it('fails the step that it starts later as PEER_GONE, and ends its processes', async () => {
    const exiting = new TaskThread<typeof stepTasks>(options)
    const run: typeof exiting.run = (task, input) =>
      (task === 'launch' ? exiting : workers.thread).run(task, input)
    const thread = Object.assign(new TaskThread<typeof stepTasks>(options), { run })
    // It is listened on between the two.
    const mounts = [{ type: 'socket', target: '/socket', uid: 0, gid: 0, mode: 0o600 }] as const
    const step = start(fixture.spec(['true'], { mounts }), { thread })
    await assert.rejects(step.started(), { code: 'PEER_GONE' })
    await assert.rejects(step.end, { code: 'PEER_GONE' })
    assert.deepEqual(await untilEmpty(() => children().filter(isInit), 2000), [])
  })
})

/** Pids of the children of this process. */
function children(): readonly string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' '),
  )
}

/** A process that has ended and waits to be released has no command line. */
function isInit(pid: string): boolean {
  return pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('init')
}
