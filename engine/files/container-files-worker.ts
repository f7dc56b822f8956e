import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './tasks.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('work on files of a container', failure) })
