import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './tasks/index.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('work on files', failure) })
