import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inProcessFixture } from '../support/fixture.ts'

const V1 = '/sys/fs/cgroup'
/** Where control groups of the first version are; limits are tried out on such machines only. */
const hasV1 = existsSync(`${V1}/pids/cgroup.procs`) && existsSync(`${V1}/memory/cgroup.procs`)

/** The groups below a directory, at any depth. */
function groupsBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => /(^|\/)tsbuild-[0-9a-z]{12}$/.test(name))
    .map((name) => join(directory, name))
}

/** Those of them that threads of this process are in. */
function ownGroups(): readonly string[] {
  const threads = new Set(readdirSync('/proc/self/task'))
  return ['pids', 'devices']
    .flatMap((name) => groupsBelow(`${V1}/${name}`))
    .filter((path) => tasksOf(path).some((task) => threads.has(task)))
}

/** Another builder may be removing its group. */
function tasksOf(path: string): readonly string[] {
  try {
    return readFileSync(`${path}/tasks`, 'utf8').split('\n')
  } catch {
    return []
  }
}

describe('sandbox: limits', () => {
  it('leave nothing in the temporary directory, and no group of a launcher', async () => {
    const fixture = inProcessFixture()
    const ulimits = [{ name: 'nofile', soft: 77, hard: 99 }] as const
    await fixture.run(['true'], { ulimits })
    assert.deepEqual(readdirSync(`${fixture.directory}/temporary`), ['mount-points', 'scaffold'])
    const groups = hasV1 ? ownGroups() : []
    await fixture.close()
    if (!hasV1) return
    assert.ok(groups.length >= 2)
    for (const path of groups) assert.equal(existsSync(path), false, path)
  })
})
