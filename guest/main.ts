/**
 * `npm run test:guest`: runs suites in a virtual machine with Debian's kernel, systemd, control groups of
 * the second version alone, AppArmor, and no network but the loopback; and in one with SELinux. Only the files that
 * are named, if any: `npm run test:guest -- dist/test/e2e/hello.test.js`.
 */
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { REPOSITORY } from '../test/e2e/support/installed.ts'
import { findPeers } from '../test/support/peers/index.ts'
import { chooseAccelerator } from './machine/accelerator.ts'
import { guestImage } from './machine/image.ts'
import { runGuest, type Security } from './machine/run-guest.ts'
import { compilePolicy } from './suites/selinux/policy.ts'

/** Milliseconds; without KVM, everything takes some fifty times as long. */
const TIMEOUTS = { kvm: 30 * 60_000, tcg: 180 * 60_000 } as const

/** What has time without KVM: other tests wait for a build no longer than it takes on a usual machine. */
const PATIENT = [
  ...found('dist/guest/suites/*.guest.js'),
  'dist/test/builder/sandbox/threads/in-process.test.js',
  'dist/test/builder/sandbox/runtime/runc.test.js',
]
const LABELLED = found('dist/guest/suites/selinux/*.selinux.js')

function found(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: REPOSITORY })
}

const { npm_execpath: npm } = process.env
if (npm === undefined) throw new Error('start it with npm run test:guest')
const image = await guestImage()
const accelerator = await chooseAccelerator(image)
const shares = {
  repository: REPOSITORY,
  npm: dirname(dirname(npm)),
  // What is not there is a folder without what is looked for in it.
  peers: findPeers() ?? dirname(npm),
}

/** Runs suites in a guest of their own. @param files none: those that the guest knows */
async function runSuites(security: Security, files: readonly string[]): Promise<void> {
  process.stderr.write(`starting a guest with ${accelerator} and ${security}\n`)
  const started = performance.now()
  const timeout = TIMEOUTS[accelerator]
  const code = await runGuest({ image, accelerator, timeout, shares, security, files })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stderr.write(`the guest ended after ${seconds} s\n`)
  if (code !== 0) process.exitCode = code
}

const named = process.argv.slice(2)
const isLabelled = (file: string): boolean => file.endsWith('.selinux.js')
const others = named.filter((file) => !isLabelled(file))
const labelled = named.length === 0 ? LABELLED : named.filter(isLabelled)
if (named.length === 0 || others.length > 0) {
  await runSuites('apparmor', named.length === 0 && accelerator === 'tcg' ? PATIENT : others)
}
if (labelled.length > 0) {
  await compilePolicy()
  await runSuites('selinux', labelled)
}
