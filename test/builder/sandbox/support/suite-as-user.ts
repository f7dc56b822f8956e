/** Runs the suite of sandboxes as root of a user namespace, and exits with the number of failures. */
import '../../../support/published-workers/index.ts'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { reexecInUserNamespace } from '#builder/namespaces'

reexecInUserNamespace({ env: process.env })
const mocha = new Mocha({ timeout: 60_000, reporter: 'dot' })
mocha.addFile(fileURLToPath(new URL('../threads/in-process.test.js', import.meta.url)))
await mocha.loadFilesAsync()
mocha.run((failures) => process.exit(failures))
