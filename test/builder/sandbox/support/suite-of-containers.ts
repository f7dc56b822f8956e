/** Runs tests of containers whose titles match, in this process, and exits with the number of failures. */
import '../../../support/published-workers/index.ts'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'

const [titles = ''] = process.argv.slice(2)
const mocha = new Mocha({ timeout: 60_000, reporter: 'dot', grep: new RegExp(titles) })
mocha.addFile(fileURLToPath(new URL('../container/in-process.test.js', import.meta.url)))
await mocha.loadFilesAsync()
mocha.run((failures) => process.exit(failures))
