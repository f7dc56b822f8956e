/**
 * `npm run test:guest`: runs suites in a virtual machine with Debian's kernel, systemd, control groups of
 * the second version alone, AppArmor, and no network but the loopback. Only the files that are named, if
 * any: `npm run test:guest -- dist/test/e2e/hello.test.js`.
 */
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { REPOSITORY } from '../test/e2e/support/installed.ts'
import { findPeers } from '../test/support/peers/index.ts'
import { chooseAccelerator } from './machine/accelerator.ts'
import { guestImage } from './machine/image.ts'
import { runGuest } from './machine/run-guest.ts'

/** Milliseconds; without KVM, everything takes some fifty times as long. */
const TIMEOUTS = { kvm: 30 * 60_000, tcg: 180 * 60_000 } as const

/** What has time without KVM: other tests wait for a build no longer than it takes on a usual machine. */
const PATIENT = globSync('dist/guest/suites/*.guest.js', { cwd: REPOSITORY })

const { npm_execpath: npm } = process.env
if (npm === undefined) throw new Error('start it with npm run test:guest')
const image = await guestImage()
const accelerator = await chooseAccelerator(image)
process.stderr.write(`starting a guest with ${accelerator}\n`)
const named = process.argv.slice(2)
const started = performance.now()
process.exitCode = await runGuest({
  ...{ image, accelerator, timeout: TIMEOUTS[accelerator] },
  shares: {
    repository: REPOSITORY,
    npm: dirname(dirname(npm)),
    // What is not there is a folder without what is looked for in it.
    peers: findPeers() ?? dirname(npm),
  },
  files: named.length === 0 && accelerator === 'tcg' ? PATIENT : named,
})
process.stderr.write(
  `the guest ended after ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
)
