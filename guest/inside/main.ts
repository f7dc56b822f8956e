/** Runs suites in the guest, one process after the other, and says how each of them ended. */
import { readFileSync } from 'node:fs'
import { FILES_OPTION } from '../machine/names.ts'
import { describeMachine } from './describe-machine.ts'
import { runSuite, type SuiteResult } from './run-suite.ts'
import { SUITES, type Suite } from './suites.ts'

/** What the kernel was told to run; else everything. */
function wantedSuites(): readonly Suite[] {
  const words = readFileSync('/proc/cmdline', 'utf8').trim().split(' ')
  const option = words.find((word) => word.startsWith(`${FILES_OPTION}=`))
  const files = option?.slice(FILES_OPTION.length + 1).split(',')
  return files === undefined ? SUITES : [{ name: 'named', files }]
}

function describeResult({ name, passed, failed, pending, seconds }: SuiteResult): string {
  const numbers = [`${passed} passed`, `${failed} failed`, `${pending} pending`].join(', ')
  return `${name.padEnd(12)} ${numbers}, ${seconds.toFixed(1)} s`
}

console.log(describeMachine())
const results: SuiteResult[] = []
for (const suite of wantedSuites()) {
  console.log(`== ${suite.name}`)
  results.push(await runSuite(suite))
}
console.log('== sums')
for (const result of results) console.log(describeResult(result))
process.exitCode = results.every(({ passed, failed }) => passed > 0 && failed === 0) ? 0 : 1
