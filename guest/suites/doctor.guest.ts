import assert from 'node:assert/strict'
import { type Person, root, userInScope, userOutside } from './persons.ts'
import { type Check, Steps } from './steps.ts'

async function ask(person: Person): Promise<ReadonlyMap<string, Check>> {
  await using steps = await Steps.of(person)
  return await steps.doctor()
}

describe('the doctor on a machine with systemd', () => {
  it('finds everything that root can have', async () => {
    const checks = await ask(root())
    for (const subject of ['namespaces', 'overlayfs', 'user ids', 'trial step', 'pressure']) {
      assert.equal(checks.get(subject)?.state, 'ok', `${subject}: ${checks.get(subject)?.detail}`)
    }
    const groups = checks.get('control groups')
    assert.deepEqual([groups?.state, groups?.hint], ['ok', undefined], groups?.detail)
    assert.match(groups?.detail ?? '', /^memory, cpu, cpuset, io, pids, devices: version 2$/)
    assert.match(checks.get('confinement')?.detail ?? '', /AppArmor/)
    assert.match(checks.get('filter of system calls')?.detail ?? '', /seccomp/)
  })

  it('says which limits a user has in a scope, and which not', async () => {
    const groups = (await ask(await userInScope('Delegate=yes'))).get('control groups')
    assert.match(groups?.detail ?? '', /cpuset/)
    assert.doesNotMatch(groups?.detail ?? '', /memory|pids/)
  })

  it('tells a user without a scope how to get one', async () => {
    const groups = (await ask(userOutside())).get('control groups')
    assert.equal(groups?.state, 'limited')
    assert.match(groups?.detail ?? '', /memory.*pids/)
    assert.match(groups?.hint ?? '', /systemd-run --user --scope/)
  })
})
