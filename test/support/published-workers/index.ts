/**
 * Required by mocha, and imported by builders that tests start: threads of tests run the workers that are
 * published, which `npm run build` packs into one file each, and keep their compiled code as those of the
 * program do. The modules of a worker take longer to find and compile than a small build takes.
 */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from 'node:worker_threads'

const BUNDLE = new URL('../../../bundle/', import.meta.url)
const TESTS = new URL('../../', import.meta.url)
/** The argument with which the program starts its threads. */
const CODE_FOLDER = fileURLToPath(new URL('.cache/tsbuild/code', TESTS))

/** The object that is read when a thread is started; a namespace of `import` could not be changed. */
const threads = process.getBuiltinModule('node:worker_threads')

// Coverage is counted in the modules.
if (process.env.NODE_V8_COVERAGE === undefined) {
  threads.Worker = class extends threads.Worker {
    constructor(script: string | URL, options?: WorkerOptions) {
      const published = publishedAs(script)
      super(published, published === script ? options : { ...options, argv: [CODE_FOLDER] })
    }
  }
}

/** The file that is published of a worker; workers of tests are none. */
function publishedAs(script: string | URL): string | URL {
  if (!(script instanceof URL) || script.href.startsWith(TESTS.href)) return script
  const published = new URL(basename(script.pathname), BUNDLE)
  if (existsSync(fileURLToPath(published))) return published
  throw new Error(`${published} is missing: npm run build`)
}
