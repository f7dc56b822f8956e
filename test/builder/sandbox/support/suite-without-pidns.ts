/** Runs what concerns /proc of the suite of sandboxes where no procfs takes a pid namespace; exits with the number of failures. */
import '../../../support/published-workers/index.ts'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { takesOptions } from '#builder/linux'
import { refuseCalls } from '../../../suites/sandbox/refuse-calls.ts'

refuseCalls(['fsopen'])
if (takesOptions('proc', { pidns: '/proc/self/ns/pid' })) throw new Error('fsopen is not refused')
/** What depends on how /proc is mounted. */
const OF_PROC = /\/proc|pid|namespace|outlive|orphan/i
const mocha = new Mocha({ timeout: 60_000, reporter: 'dot', grep: OF_PROC })
mocha.addFile(fileURLToPath(new URL('../threads/in-process.test.js', import.meta.url)))
await mocha.loadFilesAsync()
mocha.run((failures) => process.exit(failures))
