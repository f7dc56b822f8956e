/**
 * Runs what applies in place of the suite of sandboxes, and exits with the number of failures. It replaces
 * the root of this process: never to be started but in a throw-away one.
 */
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { NOT_IN_PLACE } from './not-in-place.ts'

if (process.pid !== 1) throw new Error('this process is not in a throw-away root')
const mocha = new Mocha({ timeout: 20_000, reporter: 'spec' })
const files = [
  new URL('./in-place-steps.js', import.meta.url),
  new URL('./in-place-suite.js', import.meta.url),
]
for (const file of files) mocha.addFile(fileURLToPath(file))
await mocha.loadFilesAsync()
const known = new Set(Object.keys(NOT_IN_PLACE))
skip(mocha.suite)
if (known.size > 0) throw new Error(`no such tests: ${[...known].join(', ')}`)
mocha.run((failures) => process.exit(failures))

/** Skips what is known not to hold in place. */
function skip(suite: Mocha.Suite): void {
  for (const test of suite.tests) {
    if (!(test.title in NOT_IN_PLACE)) continue
    test.pending = true
    known.delete(test.title)
  }
  for (const inner of suite.suites) skip(inner)
}
