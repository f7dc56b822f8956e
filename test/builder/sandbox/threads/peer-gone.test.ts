import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { TaskThread } from '#builder/threads'
import type { Launched, LaunchInput } from '../../../../builder/sandbox/process/step-process.ts'
import type { ProcessSpec } from '../../../../builder/sandbox/spec/process-spec.ts'
import type * as launchTasks from '../../../../builder/sandbox/threads/launch-tasks.ts'
import type * as namespaceTasks from '../../../../builder/sandbox/threads/namespace-tasks.ts'
import { RunningStep } from '../../../../builder/sandbox/threads/running-step.ts'
import { StepLauncher } from '../../../../builder/sandbox/threads/step-launcher.ts'
import {
  closeWorkers,
  type StepWorkers,
  startWorkers,
} from '../../../../builder/sandbox/threads/step-workers.ts'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'

const options = { doing: 'work', script: new URL('../support/exiting-worker.js', import.meta.url) }

class ExitingLauncher extends StepLauncher {
  override launch(input: LaunchInput): Promise<Launched> {
    return new TaskThread<typeof launchTasks>(options).run('launch', input)
  }
}

describe('a thread of the sandbox that ends too early', () => {
  let fixture: SandboxFixture
  let temporary: string
  let workers: StepWorkers
  before(async () => {
    fixture = inProcessFixture()
    temporary = mkdtempSync('/tmp/tsbuild-exiting-test-')
    workers = await startWorkers(temporary, () => undefined)
  })
  after(async () => {
    await closeWorkers(workers)
    await fixture.close()
    rmSync(temporary, { recursive: true })
  })

  const start = (spec: ProcessSpec, changed: Partial<StepWorkers>): RunningStep =>
    new RunningStep(
      spec,
      {},
      { workers: { ...workers, ...changed }, network: 'none', onNotice: () => undefined },
    )

  it('fails the step that it prepares as PEER_GONE', async () => {
    const preparer = new TaskThread<typeof namespaceTasks>(options)
    const step = start(fixture.spec(['true']), { preparer })
    await assert.rejects(step.started(), { code: 'PEER_GONE' })
    await assert.rejects(step.end, { code: 'PEER_GONE' })
  })

  it('fails the step that it started as PEER_GONE, and ends its processes', async () => {
    const launcher = new ExitingLauncher('sandbox', () => undefined)
    const launchers = { ...workers.launchers, sandbox: launcher }
    const step = start(fixture.spec(['true']), { launchers })
    await assert.rejects(step.started(), { code: 'PEER_GONE' })
    await assert.rejects(step.end, { code: 'PEER_GONE' })
    await launcher.close()
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
