/** `node mocha.js SUMS FILE…`: runs compiled test files, and writes a file with how many tests ended how. */
import '../../test/support/published-workers/index.ts'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Mocha from 'mocha'

/** Milliseconds: instructions may be executed by QEMU. */
const TIMEOUT = 300_000

const [sums = '', ...files] = process.argv.slice(2)
const mocha = new Mocha({ timeout: TIMEOUT, reporter: 'spec' })
for (const file of files) mocha.addFile(resolve(file))
await mocha.loadFilesAsync()
const runner = mocha.run((failures) => {
  writeFileSync(sums, JSON.stringify(runner.stats))
  process.exit(Math.min(failures, 1))
})
