/**
 * Runs the suite of sandboxes as root of a user namespace, and exits with the number of failures. Takes the path
 * of a module that has it; default: that of the sandbox of this process.
 */
import '../../../support/published-workers/index.ts'
import { fileURLToPath } from 'node:url'
import Mocha from 'mocha'
import { reexecInUserNamespace } from '#builder/namespaces'

reexecInUserNamespace({ env: process.env })
const mocha = new Mocha({ timeout: 60_000, reporter: 'dot' })
const [own = fileURLToPath(new URL('../threads/in-process.test.js', import.meta.url))] =
  process.argv.slice(2)
mocha.addFile(own)
await mocha.loadFilesAsync()
mocha.run((failures) => process.exit(failures))
