import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './tasks.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('transfer a folder', failure) })
