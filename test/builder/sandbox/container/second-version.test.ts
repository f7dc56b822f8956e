import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capture } from '../../../support/peers/index.ts'

const RUNNER = fileURLToPath(new URL('../support/suite-of-containers.js', import.meta.url))

/** What differs between the versions of control groups, and needs no controller that a machine with both lacks. */
const TITLES = 'pauses and resumes|ends what is paused|devices|namespaces of the host end'

/** Leaves the tests those of the second version. */
const SCRIPT = `
for m in $(awk '$3 == "cgroup" { print $2 }' /proc/mounts); do umount "$m" || exit 9; done
exec "$@"
`

describe('containers: in control groups of the second version', () => {
  before(function () {
    if (process.getuid?.() !== 0 || !existsSync('/sys/fs/cgroup/unified')) this.skip()
  })

  it('are paused, ended and kept from devices as in those of the first', async () => {
    const words = ['-m', '--propagation', 'private', 'sh', '-c', SCRIPT, 'sh']
    const outcome = await capture('unshare', [...words, process.execPath, RUNNER, TITLES])
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    assert.match(outcome.stdout, /(?:[89]|1\d) passing/)
  }).timeout(120_000)
})
