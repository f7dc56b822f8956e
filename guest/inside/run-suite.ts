import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Suite } from './suites.ts'

/** How many tests of a suite ended in which way. */
export interface SuiteResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly pending: number
  readonly seconds: number
}

const MOCHA = fileURLToPath(new URL('./mocha.js', import.meta.url))

/** Runs a suite in a process that is given its files, and a file for its sums. A process that dies has failed. */
export async function runSuite({ name, files }: Suite): Promise<SuiteResult> {
  const sums = join(tmpdir(), 'suite-sums')
  rmSync(sums, { force: true })
  const started = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', MOCHA, sums, ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  const seconds = (performance.now() - started) / 1000
  const { passes = 0, failures = 1, pending = 0 } = readSums(sums)
  return { name, passed: passes, failed: Math.max(failures, code === 0 ? 0 : 1), pending, seconds }
}

function readSums(path: string): Partial<Mocha.Stats> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}
