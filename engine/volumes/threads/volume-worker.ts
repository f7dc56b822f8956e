/** A worker thread for bulk work on the files of volumes. */
import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './volume-tasks.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('work on volumes', failure) })
