/** A worker thread that runs steps in place. It blocks as long as a step runs. */
import { serveTasks } from '#builder/threads'
import { stepFailure } from '../threads/step-failure.ts'
import * as tasks from './in-place-tasks.ts'

serveTasks(tasks, { toError: (failure) => stepFailure(failure, 'run the step in place') })
