/** A worker thread that makes the root of this process show stacks of layers. */
import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './root-tasks.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('show layers in place', failure) })
