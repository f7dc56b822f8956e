import { parentPort, workerData } from 'node:worker_threads'
import { openLibrary } from '#builder/linux'
import { AT_FDCWD } from '../../../builder/linux/system/syscalls.ts'

/** Exchanges two paths again and again, as fast as it can, until the thread is terminated. */
const RENAME_EXCHANGE = 2
const BATCH = 1000

const { a, b } = workerData as { readonly a: string; readonly b: string }
const rename = openLibrary('libc.so.6')?.func(
  'int renameat2(int, const char *, int, const char *, unsigned int)',
)
parentPort?.postMessage('ready')

function exchange(): void {
  for (let n = 0; n < BATCH; n++) rename?.(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)
  // A break in which the thread receives messages.
  setImmediate(exchange)
}

exchange()
