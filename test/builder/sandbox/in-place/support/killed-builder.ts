/** Kills a builder whose step has a secret, and fails unless everything of that step goes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { processesOf, untilProcesses } from '../../../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../../../support/peers/index.ts'

const SECRET = 'the secret of a step'
const HOLDER = fileURLToPath(new URL('./holding-secret.js', import.meta.url))

const child = spawn(process.execPath, [HOLDER, SECRET], { stdio: ['ignore', 'pipe', 'inherit'] })
await once(child.stdout, 'data')
assert.equal(secretsLeft().length, 1)
await untilProcesses('sleep 4711', 1)
child.kill('SIGKILL')
await once(child, 'exit')
assert.deepEqual(await untilEmpty(secretsLeft, 2000), [])
assert.deepEqual(await untilEmpty(() => processesOf('sh -c cat /s'), 2000), [])
assert.deepEqual(processesOf('supervisor'), [])
console.log('everything is gone')

function secretsLeft(): readonly string[] {
  return readdirSync('/dev/shm', { recursive: true, encoding: 'utf8' }).filter((path) => {
    const place = `/dev/shm/${path}`
    return statSync(place).isFile() && readFileSync(place, 'utf8').includes(SECRET)
  })
}
