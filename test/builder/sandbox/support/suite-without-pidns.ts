/** Runs the suite of sandboxes where no procfs takes a pid namespace, and exits with the number of failures. */
import '../../../support/published-workers/index.ts'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { takesOptions } from '#builder/linux'
import { refuseCalls } from '../../../suites/sandbox/refuse-calls.ts'

refuseCalls(['fsopen'])
if (takesOptions('proc', { pidns: '/proc/self/ns/pid' })) throw new Error('fsopen is not refused')
/** Tests that expect no filter besides the sandbox's. */
const COUNTING = /(gives root 14 capabilities and no more|with all rights what others lack)$/
const mocha = new Mocha({ timeout: 60_000, reporter: 'dot', grep: COUNTING })
mocha.invert()
mocha.addFile(fileURLToPath(new URL('../threads/in-process.test.js', import.meta.url)))
await mocha.loadFilesAsync()
mocha.run((failures) => process.exit(failures))
