/** A worker thread for one process beside a step in place, which it waits for. */
import { serveTasks } from '#builder/threads'
import { stepFailure } from '../threads/step-failure.ts'
import { runExecInPlace } from './exec-run.ts'

serveTasks(
  { runExecInPlace },
  { toError: (failure) => stepFailure(failure, 'start a process in place') },
)
