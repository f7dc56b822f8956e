/** A worker thread that keeps one directory, in which stacks of layers are shown as plain files. */
import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'
import * as tasks from './copies-tasks.ts'

serveTasks(tasks, { toError: (failure) => typedFailure('copy layers', failure) })
